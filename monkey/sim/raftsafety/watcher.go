// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	"sync"
	"time"

	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// mostBreaches is how many are kept of each kind.
const mostBreaches = 16

// Watcher watches the messages of any number of clusters. It is safe for concurrent
// use.
type Watcher struct {
	start time.Time

	mu       sync.Mutex
	clusters map[uint64]*cluster
	found    invariant.RaftSafety
	kept     map[invariant.BreachKind]int
}

// New returns a Watcher that has seen nothing. Times count from start.
func New(start time.Time) *Watcher {
	return &Watcher{start: start, clusters: map[uint64]*cluster{}, kept: map[invariant.BreachKind]int{},
		found: invariant.RaftSafety{Breaches: []invariant.Breach{}}}
}

// Found is what was seen so far.
func (w *Watcher) Found() *invariant.RaftSafety {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := w.found
	found.Breaches = append([]invariant.Breach{}, found.Breaches...)
	return &found
}

// cluster is what is known of one.
type cluster struct {
	votes       map[ballot]uint64   // who got the vote
	candidacies map[ballot]position // the end of the candidate's log
	leaders     map[ballot]bool
	leading     ballot // in the newest term
	// committed has the term of each committed entry, by its index; 0: not known.
	committed []uint32
	newest    claim // of the newest committed entry
}

// ballot is a node in a term.
type ballot struct{ node, term uint64 }

// position is an entry of a log. One that is greater in this order is newer.
type position struct{ term, index uint64 }

func (p position) before(o position) bool {
	return p.term < o.term || p.term == o.term && p.index < o.index
}

// claim is a leader's word, in a term, that an entry is committed.
type claim struct {
	position
	by ballot
}

// Watch looks at messages. named says what the cluster of an ID is called in what is
// found: no two clusters have one name.
func (w *Watcher) Watch(named func(id uint64) uint64, messages []pb.Message) {
	for i := range messages {
		switch m := &messages[i]; m.Type {
		case pb.RequestVote, pb.RequestVoteResp, pb.Replicate, pb.Heartbeat:
			w.watch(named(m.ClusterId), m)
		}
	}
}

func (w *Watcher) watch(id uint64, m *pb.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.clusters[id]
	if c == nil {
		c = &cluster{votes: map[ballot]uint64{}, candidacies: map[ballot]position{}, leaders: map[ballot]bool{}}
		w.clusters[id] = c
	}
	switch from := (ballot{m.From, m.Term}); m.Type {
	case pb.RequestVote:
		c.candidacies[from] = position{m.LogTerm, m.LogIndex}
		w.vote(id, c, from, m.From)
	case pb.RequestVoteResp:
		if !m.Reject {
			w.vote(id, c, from, m.To)
		}
	case pb.Heartbeat:
		w.lead(id, c, from)
	case pb.Replicate:
		w.lead(id, c, from)
		w.replicated(id, c, from, m)
	}
}

// vote notes a vote; a candidacy is one for the candidate itself.
func (w *Watcher) vote(id uint64, c *cluster, voter ballot, candidate uint64) {
	first, voted := c.votes[voter]
	if !voted {
		c.votes[voter] = candidate
		w.found.Votes++
		return
	}
	if first != candidate {
		w.breach(invariant.Breach{Kind: invariant.TwoVotes, Cluster: id, Node: voter.node, Term: voter.term, Others: []uint64{first, candidate}})
	}
}

// lead notes that a node leads in a term.
func (w *Watcher) lead(id uint64, c *cluster, leader ballot) {
	if leader == c.leading || c.leaders[leader] {
		return
	}
	c.leaders[leader] = true
	if leader.term > c.leading.term {
		c.leading = leader
	}
	if _, known := c.candidacies[leader]; !known {
		return
	}
	w.found.Leaders++
	w.complete(id, c, leader, c.newest)
}

// complete checks that a leader has an entry that was committed in an earlier term.
func (w *Watcher) complete(id uint64, c *cluster, leader ballot, committed claim) {
	end := c.candidacies[leader]
	if committed.by.term < leader.term && end.before(committed.position) {
		w.breach(invariant.Breach{Kind: invariant.IncompleteLeader, Cluster: id, Node: leader.node, Term: leader.term,
			Index: committed.index, EntryTerm: committed.term, Others: []uint64{committed.by.node}, LastIndex: end.index, LastTerm: end.term})
	}
}

// replicated notes which of the entries of a message are committed by its leader's
// word.
func (w *Watcher) replicated(id uint64, c *cluster, leader ballot, m *pb.Message) {
	if m.LogIndex <= m.Commit {
		w.commit(id, c, claim{position{m.LogTerm, m.LogIndex}, leader})
	}
	for i := range m.Entries {
		if e := &m.Entries[i]; e.Index <= m.Commit {
			w.commit(id, c, claim{position{e.Term, e.Index}, leader})
		}
	}
}

func (w *Watcher) commit(id uint64, c *cluster, x claim) {
	if x.term == 0 { // the beginning of the log, or of what is left of it
		return
	}
	for uint64(len(c.committed)) <= x.index {
		c.committed = append(c.committed, make([]uint32, max(64, len(c.committed)/2))...)
	}
	switch known := uint64(c.committed[x.index]); known {
	case x.term:
		return
	case 0:
		c.committed[x.index] = uint32(x.term)
		w.found.Commits++
	default:
		w.breach(invariant.Breach{Kind: invariant.TwoCommits, Cluster: id, Node: x.by.node, Term: x.by.term, Index: x.index, EntryTerm: x.term, LastTerm: known})
		return
	}
	if c.newest.position.before(x.position) {
		c.newest = x
	}
	if x.by.term < c.leading.term { // the word is late
		for leader := range c.leaders {
			if _, known := c.candidacies[leader]; known {
				w.complete(id, c, leader, x)
			}
		}
	}
}

func (w *Watcher) breach(b invariant.Breach) {
	b.At = int64(time.Since(w.start))
	if w.kept[b.Kind]++; w.kept[b.Kind] <= mostBreaches {
		w.found.Breaches = append(w.found.Breaches, b)
	}
}
