// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	"cmp"
	"slices"

	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// mostReads is how many reads of a cluster are remembered. Their answers take about a
// round trip.
const mostReads = 4096

// read is a request for the index that a linearizable read has to see.
type read struct {
	asked     bool   // by another node; otherwise by the leader itself
	proven    uint64 // what was committed when it reached the leader
	known     int    // the memberships that were known then
	confirmed []ballot
	// answered says that a leader answered it; index is the lowest one that was given.
	answered bool
	index    uint64
}

// ask notes that a follower's request reached its leader. One that comes again has
// the bounds of the first one.
func (c *cluster) ask(m *pb.Message) {
	if r := c.read(pb.SystemCtx{Low: m.Hint, High: m.HintHigh}); !r.asked {
		r.asked, r.proven, r.known = true, c.proven, len(c.memberships)
	}
}

// confirm notes that a node confirmed its leader's leadership for a read.
func (c *cluster) confirm(m *pb.Message) {
	if m.Hint == 0 {
		return
	}
	r := c.read(pb.SystemCtx{Low: m.Hint, High: m.HintHigh})
	if b := (ballot{m.From, m.Term}); !slices.Contains(r.confirmed, b) {
		r.confirmed = append(r.confirmed, b)
	}
}

// confirmedFor tells who confirmed a leader's leadership in its term. It does so
// itself.
func (r *read) confirmedFor(leader ballot) func(node uint64) bool {
	return func(node uint64) bool {
		return node == leader.node || slices.Contains(r.confirmed, ballot{node, leader.term})
	}
}

// read finds a read, or begins with it.
func (c *cluster) read(ctx pb.SystemCtx) *read {
	r := c.reads[ctx]
	if r == nil {
		r = &read{}
		c.reads[ctx] = r
		if c.asked = append(c.asked, ctx); len(c.asked) > mostReads {
			delete(c.reads, c.asked[0])
			c.asked, c.evicted = c.asked[1:], true
		}
	}
	return r
}

// answered checks a leader's answer to a follower's request: it has everything that
// was committed when the request came, and a majority confirmed the leadership since.
func (w *Watcher) answered(c *cluster, leader ballot, m *pb.Message) {
	r := c.read(pb.SystemCtx{Low: m.Hint, High: m.HintHigh})
	if !r.answered || m.LogIndex < r.index {
		r.answered, r.index = true, m.LogIndex
	}
	if !r.asked {
		return
	}
	w.found.Reads++
	if m.LogIndex < r.proven {
		w.breach(c, invariant.Breach{Kind: invariant.StaleRead, Node: leader.node, Term: leader.term, Index: m.LogIndex, LastIndex: r.proven, Others: []uint64{m.To}})
	}
	w.ready(c, leader)
	w.confirmed(c, leader, r)
}

// ready checks that a leader has committed an entry of its own term before it serves a
// read: until then it does not know what is committed.
func (w *Watcher) ready(c *cluster, leader ballot) {
	if c.proven > 0 && c.provenTerm < leader.term {
		w.breach(c, invariant.Breach{Kind: invariant.EarlyRead, Node: leader.node, Term: leader.term, Index: c.proven, LastTerm: c.provenTerm})
	}
}

// confirmed checks that a majority confirmed a leader's leadership for a read, by a
// membership of the time since it was asked for: the answer may be late.
func (w *Watcher) confirmed(c *cluster, leader ballot, r *read) {
	if by := c.memberships[max(0, r.known-2):]; !majority(by, r.confirmedFor(leader)) {
		b := invariant.Breach{Kind: invariant.MinorityRead, Node: leader.node, Term: leader.term, Others: []uint64{leader.node}, Voters: by[len(by)-1].voters()}
		for _, x := range r.confirmed {
			if x.term == leader.term {
				b.Others = append(b.Others, x.node)
			}
		}
		w.breach(c, b)
	}
}

// mostPending is how many reads are remembered that wait for a leader's confirmation.
const mostPending = 4096

// pending is a read that waits for its leader to be confirmed.
type pending struct {
	ctx    pb.SystemCtx
	commit uint64 // what its leader had committed when it came
	known  int    // the memberships that were known then
}

// ask notes that a read waits for the confirmation of the leadership, unless it is
// known; it reports whether it was not. A leader asks for the confirmation at once.
func (l *leadership) ask(p pending) bool {
	for i := len(l.pending) - 1; i >= 0; i-- {
		if l.pending[i].ctx == p.ctx {
			return false
		}
	}
	if l.pending = append(l.pending, p); len(l.pending) > mostPending {
		l.pending, l.evicted = l.pending[1:], true
	}
	return true
}

// answered forgets the read that was answered, and those before it.
func (l *leadership) answered(ctx pb.SystemCtx) {
	i := slices.IndexFunc(l.pending, func(p pending) bool { return p.ctx == ctx })
	l.pending = l.pending[i+1:]
}

// served checks the reads that a node lets its own clients do: as a leader, that a
// majority confirmed its leadership for them; otherwise that a leader answered them. A
// read that is confirmed serves all that were asked for before it, whoever asked.
func (w *Watcher) served(c *cluster, l *log, u *pb.Update) {
	done := 0
	for _, ready := range u.ReadyToReads {
		w.found.Reads++
		led := &l.leadership
		by := ballot{u.NodeID, led.term}
		i := slices.IndexFunc(led.pending, func(p pending) bool { return p.ctx == ready.SystemCtx })
		switch r := c.reads[ready.SystemCtx]; {
		case i >= 0:
			done = max(done, i+1)
			w.ready(c, by)
			w.servedByLeader(c, by, led.pending[i:], ready.Index)
		case r != nil && r.answered:
			if ready.Index < r.index {
				w.breach(c, invariant.Breach{Kind: invariant.StaleRead, Node: u.NodeID, Term: l.state.Term, Index: ready.Index, LastIndex: r.index, Others: []uint64{u.NodeID}})
			}
		case led.evicted || c.evicted || c.alone(u.NodeID, l.last):
		default:
			w.breach(c, invariant.Breach{Kind: invariant.UnansweredRead, Node: u.NodeID, Term: l.state.Term, Index: ready.Index})
		}
	}
	l.leadership.pending = l.leadership.pending[done:]
}

// servedByLeader checks a read of a leader's own client, the first of those that wait.
func (w *Watcher) servedByLeader(c *cluster, by ballot, waiting []pending, index uint64) {
	first := waiting[0]
	if index < first.commit {
		w.breach(c, invariant.Breach{Kind: invariant.StaleRead, Node: by.node, Term: by.term, Index: index, LastIndex: first.commit, Others: []uint64{by.node}})
	}
	memberships := c.memberships[max(0, first.known-2):]
	for _, p := range waiting {
		if r := c.reads[p.ctx]; majority(memberships, cmp.Or(r, &read{}).confirmedFor(by)) {
			return
		}
	}
	if !c.evicted {
		w.confirmed(c, by, cmp.Or(c.reads[first.ctx], &read{known: first.known}))
	}
}

// alone reports whether a node may be the only voter of its cluster.
func (c *cluster) alone(node, last uint64) bool {
	return majority(c.goneBy(last), func(n uint64) bool { return n == node })
}
