// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// Comparison compares the digests of all replicas of a run in one process,
// whenever two of them come to the same index, and keeps where a cluster first
// differs. It is safe for concurrent use.
type Comparison struct {
	mu       sync.Mutex
	clusters map[uint64]*compared
	updates  int64        // that were compared with another replica's
	found    []Divergence // since somebody last asked
}

// Divergence is the first index at which two replicas of a cluster were seen to
// differ.
type Divergence struct {
	Seen    time.Time
	Cluster uint64
	A, B    Sample // at the same index; A came first
	// Agreed is the last index before at which B agreed with another replica; 0
	// if there is none.
	Agreed uint64
	// Entry is the command at the index, or what else brought B there.
	Entry string
}

// Sample is the digest of a replica after it applied an entry.
type Sample struct {
	Node   uint64
	Digest kv.Digest
}

// maxSamples bounds what is kept of a cluster. Replicas that are further behind
// are not compared until they have caught up.
const maxSamples = 1 << 16

// compared is what is kept of a cluster.
type compared struct {
	samples []Sample          // of distinct indexes, in their order: the first replica that came there
	agreed  map[uint64]uint64 // by node: the last index at which it agreed with another one
	over    bool              // a divergence was found
}

// NewComparison makes a Comparison that has compared nothing.
func NewComparison() *Comparison { return &Comparison{clusters: map[uint64]*compared{}} }

// Updates counts the updates that were compared with another replica's, or with
// the same one's before a restart.
func (c *Comparison) Updates() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.updates
}

// TakeDivergences returns what was found since the last call, at most one
// divergence a cluster in all.
func (c *Comparison) TakeDivergences() []Divergence {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.found
	c.found = nil
	return found
}

// Watch returns cores like those of newCore that are compared.
func (c *Comparison) Watch(newCore NewCore) NewCore {
	return func(clusterID, nodeID uint64) Core {
		return &watched{Core: newCore(clusterID, nodeID), comparison: c, cluster: clusterID, node: nodeID}
	}
}

// watched is a core that is compared.
type watched struct {
	Core
	comparison    *Comparison
	cluster, node uint64
}

// Apply implements Core.
func (w *watched) Apply(index uint64, data []byte) kv.Answer {
	answer := w.apply(index, data)
	w.comparison.Add(w.cluster, Sample{w.node, w.Core.Digest()}, func() string {
		command, err := kv.DecodeCommand(data)
		if err != nil {
			return "no command: " + err.Error()
		}
		return fmt.Sprintf("%s of %s by %s", command.Op, command.Key, command.Writer)
	})
	return answer
}

// apply has a panic of the core name the node: that is nowhere on the stack.
func (w *watched) apply(index uint64, data []byte) kv.Answer {
	defer func() {
		if p := recover(); p != nil {
			panic(fmt.Errorf("cluster %d, node %d, at index %d: %v", w.cluster, w.node, index, p))
		}
	}()
	return w.Core.Apply(index, data)
}

// Restore implements Core.
func (w *watched) Restore(image *kv.Image) {
	w.Core.Restore(image)
	w.comparison.Add(w.cluster, Sample{w.node, w.Core.Digest()}, func() string {
		return fmt.Sprintf("restored by node %d from a snapshot", w.node)
	})
}

// Add compares a sample with that of the same index, if there is one, and keeps
// it if not. entry describes what brought the replica there.
func (c *Comparison) Add(cluster uint64, s Sample, entry func() string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.clusters[cluster]
	if of == nil {
		of = &compared{agreed: map[uint64]uint64{}}
		c.clusters[cluster] = of
	}
	if of.over || s.Digest.Updates == 0 { // all empty states are equal
		return
	}
	other, there := of.add(s)
	if !there {
		return
	}
	c.updates++
	if other.Digest != s.Digest {
		of.over, of.samples = true, nil
		c.found = append(c.found, Divergence{Seen: time.Now(), Cluster: cluster, A: other, B: s, Agreed: of.agreed[s.Node], Entry: entry()})
	} else if other.Node != s.Node {
		of.agreed[s.Node], of.agreed[other.Node] = s.Digest.Applied, max(s.Digest.Applied, of.agreed[other.Node])
	}
}

// add returns the sample of the same index, if there is one, and otherwise keeps
// this one.
func (c *compared) add(s Sample) (other Sample, there bool) {
	i, there := slices.BinarySearchFunc(c.samples, s, func(a, b Sample) int { return cmp.Compare(a.Digest.Applied, b.Digest.Applied) })
	switch {
	case there:
		return c.samples[i], true
	case i == 0 && len(c.samples) >= maxSamples/2: // older than what is kept
		return Sample{}, false
	}
	c.samples = slices.Insert(c.samples, i, s)
	if len(c.samples) > maxSamples {
		c.samples = slices.Delete(c.samples, 0, maxSamples/2)
	}
	return Sample{}, false
}
