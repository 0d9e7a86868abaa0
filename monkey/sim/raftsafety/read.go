// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	"slices"

	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// mostReads is how many reads of a cluster are remembered. Their answers take about a
// round trip.
const mostReads = 1024

// read is a request for the index that a linearizable read has to see.
type read struct {
	asked     bool   // by another node; otherwise by the leader itself
	proven    uint64 // what was committed when it reached the leader
	known     int    // the memberships that were known then
	confirmed []ballot
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
	leader := ballot{m.To, m.Term}
	counts := c.confirmations[leader]
	counts.fresh++
	c.confirmations[leader] = counts
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
			c.asked = c.asked[1:]
		}
	}
	return r
}

// answered checks a leader's answer to a follower's request: it has everything that
// was committed when the request came, and a majority confirmed the leadership since.
func (w *Watcher) answered(c *cluster, leader ballot, m *pb.Message) {
	ctx := pb.SystemCtx{Low: m.Hint, High: m.HintHigh}
	r := c.reads[ctx]
	if r == nil || !r.asked {
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

// confirmations counts the confirmations that reached a leader: since it last served
// reads of its own clients, and before, since the time before that.
type confirmations struct{ fresh, before int }

// served checks that a leader was confirmed before it serves reads to its own clients.
// By whom, and for which of them, is not to be seen here: a read that is confirmed
// serves all that were asked for before it, whoever asked; and what comes while the
// leader saves may have been counted for the reads before these.
func (w *Watcher) served(c *cluster, leader ballot, reads []pb.ReadyToRead) {
	if len(reads) == 0 || !c.leaders[leader] {
		return
	}
	w.found.Reads++
	w.ready(c, leader)
	counts := c.confirmations[leader]
	if counts.fresh+counts.before == 0 {
		w.confirmed(c, leader, &read{known: len(c.memberships)})
	}
	c.confirmations[leader] = confirmations{before: counts.fresh}
}
