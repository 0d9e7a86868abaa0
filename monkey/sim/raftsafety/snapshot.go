// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	"slices"

	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// taken checks a snapshot that a node takes over from its leader: it is of the log, and
// newer than what the node knows to be committed.
func (w *Watcher) taken(c *cluster, l *log, u *pb.Update) {
	if s := u.Snapshot; s.Index <= l.state.Commit && !l.gone {
		w.breach(c, invariant.Breach{Kind: invariant.OldSnapshot, Node: u.NodeID, Term: l.state.Term, Index: s.Index, LastIndex: l.state.Commit})
	}
	w.found.Snapshots++
	w.snapshot(c, u.NodeID, &u.Snapshot)
}

// isPast reports whether a node has gone past a snapshot that arrives: it knows more to
// be committed. The one that it has itself is dropped before Raft sees it again.
func (l *log) isPast(snapshot uint64) bool {
	return l != nil && !l.gone && snapshot < l.state.Commit && snapshot != l.snapshot
}

// snapshot checks that the term and the membership of a snapshot are those of the log
// at its index.
func (w *Watcher) snapshot(c *cluster, node uint64, s *pb.Snapshot) {
	b := invariant.Breach{Kind: invariant.SnapshotDiffers, Node: node, Index: s.Index, EntryTerm: s.Term}
	if s.Index < uint64(len(c.committed)) {
		if term := uint64(c.committed[s.Index]); term != 0 && term != s.Term {
			b.LastTerm = term
			w.breach(c, b)
			return
		}
	}
	if m := c.membershipAt(s.Index); m != nil && !c.unsure && s.Index <= c.proven && !m.is(&s.Membership) {
		b.LastIndex, b.Voters = m.at, m.voters()
		for id := range s.Membership.Addresses {
			b.Others = append(b.Others, id)
		}
		for id := range s.Membership.Witnesses {
			b.Others = append(b.Others, id)
		}
		slices.Sort(b.Others)
		w.breach(c, b)
	}
}

// compacted checks that the log is kept from a node's newest snapshot on, and that
// snapshot itself.
func (w *Watcher) compacted(c *cluster, node, index uint64) {
	if l := c.logs[node]; l != nil && !l.gone && index > l.snapshot {
		w.breach(c, invariant.Breach{Kind: invariant.CompactedTooFar, Node: node, Term: l.state.Term, Index: index, LastIndex: l.snapshot})
	}
}
