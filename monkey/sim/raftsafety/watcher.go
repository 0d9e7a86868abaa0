// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	"math"
	"slices"
	"sync"
	"time"

	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// mostBreaches is how many are kept of each kind.
const mostBreaches = 16

// Watcher watches the messages and the logs of any number of clusters. It is safe for
// concurrent use.
type Watcher struct {
	start time.Time
	about func(cluster uint64) About

	mu       sync.Mutex
	clusters map[uint64]*cluster
	found    invariant.RaftSafety
	kept     map[invariant.BreachKind]int
}

// About is how a cluster is configured.
type About struct {
	Ordered bool // Dragonboat's OrderedConfigChange: a change names the one before
	// ElectionRTT and HeartbeatRTT are Dragonboat's, of a cluster with CheckQuorum; 0: it
	// has none, or they are not known.
	ElectionRTT, HeartbeatRTT int
}

// New returns a Watcher that has seen nothing. Times count from start; about tells of
// a cluster by its name.
func New(start time.Time, about func(cluster uint64) About) *Watcher {
	return &Watcher{start: start, about: about, clusters: map[uint64]*cluster{}, kept: map[invariant.BreachKind]int{},
		found: invariant.RaftSafety{Breaches: []invariant.Breach{}}}
}

// Found is what was seen so far.
func (w *Watcher) Found() *invariant.RaftSafety {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := w.found
	found.Breaches = slices.Clone(found.Breaches)
	return &found
}

// Watch looks at messages that are about to reach their node. named says what the
// cluster of an ID is called in what is found: no two clusters have one name.
func (w *Watcher) Watch(named func(id uint64) uint64, messages []pb.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range messages {
		switch m := &messages[i]; m.Type {
		case pb.RequestVote, pb.RequestVoteResp, pb.Replicate, pb.ReplicateResp, pb.Heartbeat, pb.HeartbeatResp, pb.ReadIndex, pb.ReadIndexResp, pb.InstallSnapshot:
			w.watch(w.cluster(named(m.ClusterId)), m)
		}
	}
}

// WatchChunk looks at a chunk of a snapshot that is about to reach its node.
func (w *Watcher) WatchChunk(named func(id uint64) uint64, chunk *pb.Chunk) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.cluster(named(chunk.ClusterId))
	c.tell(chunk.NodeId, chunk.Index, math.MaxUint64) // whose term Dragonboat does not tell
	if chunk.IsLastChunk() && c.logs[chunk.NodeId].isPast(chunk.Index) {
		w.found.LateSnapshots++
	}
}

func (w *Watcher) watch(c *cluster, m *pb.Message) {
	switch from := (ballot{m.From, m.Term}); m.Type {
	case pb.RequestVote:
		c.candidacies[from] = position{m.LogTerm, m.LogIndex}
		w.vote(c, from, m.From)
	case pb.RequestVoteResp:
		if !m.Reject {
			w.vote(c, from, m.To)
			c.grant(ballot{m.To, m.Term}, m.From)
		}
	case pb.Heartbeat:
		c.tell(m.To, m.Commit, m.Term)
		w.lead(c, from)
		w.prove(c, claim{position{index: m.Commit}, from}, true)
	case pb.HeartbeatResp:
		c.answer(m, 0)
		c.confirm(m)
	case pb.ReplicateResp:
		if index := m.LogIndex; m.Reject {
			c.answer(m, 0)
		} else {
			c.answer(m, index)
		}
	case pb.InstallSnapshot:
		c.tell(m.To, m.Snapshot.Index, m.Term)
	case pb.Replicate:
		c.tell(m.To, min(m.LogIndex+uint64(len(m.Entries)), m.Commit), m.Term)
		c.show(m)
		c.carry(m)
		w.lead(c, from)
		w.prove(c, claim{position{index: m.Commit}, from}, true)
		w.replicated(c, from, m)
	case pb.ReadIndex:
		c.ask(m)
	case pb.ReadIndexResp:
		w.answered(c, from, m)
	}
}

// WatchSent looks at messages that their node sends, and before which it has to save
// what they say.
func (w *Watcher) WatchSent(named func(id uint64) uint64, messages []pb.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range messages {
		switch m := &messages[i]; m.Type {
		case pb.RequestVote, pb.RequestVoteResp, pb.ReplicateResp, pb.HeartbeatResp:
			w.said(w.cluster(named(m.ClusterId)), m)
		}
	}
}

func (w *Watcher) said(c *cluster, m *pb.Message) {
	from := ballot{m.From, m.Term}
	if m.Reject || m.Type == pb.HeartbeatResp {
		w.saidTerm(c, from)
		return
	}
	switch m.Type {
	case pb.RequestVote:
		w.saidVote(c, from, m.From)
	case pb.RequestVoteResp:
		w.saidVote(c, from, m.To)
	case pb.ReplicateResp:
		w.saidEntry(c, from, m.LogIndex)
		w.saidMatch(c, from, m)
	}
}

// cluster finds a cluster, or begins with it.
func (w *Watcher) cluster(id uint64) *cluster {
	c := w.clusters[id]
	if c == nil {
		c = newCluster(id, w.about(id))
		w.clusters[id] = c
	}
	return c
}

func (w *Watcher) breach(c *cluster, b invariant.Breach) {
	b.Cluster, b.At = c.id, int64(time.Since(w.start))
	if w.kept[b.Kind]++; w.kept[b.Kind] <= mostBreaches {
		w.found.Breaches = append(w.found.Breaches, b)
	}
}
