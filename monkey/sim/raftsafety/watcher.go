// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
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
	start   time.Time
	ordered func(cluster uint64) bool

	mu       sync.Mutex
	clusters map[uint64]*cluster
	found    invariant.RaftSafety
	kept     map[invariant.BreachKind]int
}

// New returns a Watcher that has seen nothing. Times count from start; ordered says
// whether a cluster has Dragonboat's OrderedConfigChange.
func New(start time.Time, ordered func(cluster uint64) bool) *Watcher {
	return &Watcher{start: start, ordered: ordered, clusters: map[uint64]*cluster{}, kept: map[invariant.BreachKind]int{},
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
	for i := range messages {
		switch m := &messages[i]; m.Type {
		case pb.RequestVote, pb.RequestVoteResp, pb.Replicate, pb.Heartbeat, pb.HeartbeatResp, pb.ReadIndex, pb.ReadIndexResp:
			w.watch(named(m.ClusterId), m)
		}
	}
}

func (w *Watcher) watch(id uint64, m *pb.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.cluster(id)
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
		w.lead(c, from)
		w.prove(c, claim{position{index: m.Commit}, from}, true)
	case pb.HeartbeatResp:
		c.confirm(m)
	case pb.Replicate:
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
	for i := range messages {
		switch m := &messages[i]; m.Type {
		case pb.RequestVote, pb.RequestVoteResp, pb.ReplicateResp:
			if !m.Reject {
				w.said(named(m.ClusterId), m)
			}
		}
	}
}

func (w *Watcher) said(id uint64, m *pb.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, from := w.cluster(id), ballot{m.From, m.Term}
	switch m.Type {
	case pb.RequestVote:
		w.saidVote(c, from, m.From)
	case pb.RequestVoteResp:
		w.saidVote(c, from, m.To)
	case pb.ReplicateResp:
		w.saidEntry(c, from, m.LogIndex)
	}
}

// cluster finds a cluster, or begins with it.
func (w *Watcher) cluster(id uint64) *cluster {
	c := w.clusters[id]
	if c == nil {
		c = newCluster(id, w.ordered(id))
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
