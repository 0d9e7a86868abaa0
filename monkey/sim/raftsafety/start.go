// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// found is what a node that starts finds in its LogDB.
type found struct {
	state    pb.State
	snapshot pb.Snapshot // the newest one
	entries  []pb.Entry  // behind it, without a gap
}

// record is what is to be found of a snapshot.
type record struct{ index, term, ccid, onDisk uint64 }

func recordOf(s *pb.Snapshot) record {
	return record{s.Index, s.Term, s.Membership.ConfigChangeId, s.OnDiskIndex}
}

// last is the index of the last entry that is found, or that the snapshot has.
func (f *found) last() uint64 { return f.snapshot.Index + uint64(len(f.entries)) }

// newer reports whether entries were found that took the place of saved ones: they
// were on their way to the disk when the process ended. Those behind them are gone
// then.
func (f *found) newer(l *log) bool {
	for i := range f.entries {
		if e := &f.entries[i]; l.term(e.Index) != 0 && e.Term > l.term(e.Index) {
			return true
		}
	}
	return false
}

// loaded checks that a node that starts finds what it had saved. What it finds beyond
// that was on its way to the disk when the process ended, and counts as saved from now
// on.
func (w *Watcher) loaded(c *cluster, node uint64, f *found) error {
	l := c.logs[node]
	if l == nil || l.gone {
		return nil
	}
	w.found.Starts++
	w.finds(c, node, l, f)
	w.rereads(c, node, l, f)
	return l.start(f)
}

// finds checks what a node finds, but for what is in its entries.
func (w *Watcher) finds(c *cluster, node uint64, l *log, f *found) {
	state, was := f.state, l.state
	if state.Term < was.Term || state.Term == was.Term && was.Vote != 0 && state.Vote != was.Vote || f.last() < l.last && !f.newer(l) {
		w.breach(c, invariant.Breach{Kind: invariant.Forgotten, Node: node, Host: l.host, Term: state.Term, LastTerm: was.Term, Index: f.last(), LastIndex: l.last,
			Others: []uint64{state.Vote, was.Vote}})
	}
	if state.Commit < was.Commit {
		w.breach(c, invariant.Breach{Kind: invariant.ForgottenCommit, Node: node, Host: l.host, Index: state.Commit, LastIndex: was.Commit})
	}
	if s := recordOf(&f.snapshot); s.index < l.snapshot || s.index == l.snapshot && s != l.record {
		w.breach(c, invariant.Breach{Kind: invariant.ForgottenSnapshot, Node: node, Host: l.host, Index: s.index, EntryTerm: s.term, LastIndex: l.snapshot, LastTerm: l.record.term})
	}
}

// rereads checks the entries that a node finds: what was committed is the same, each
// is what was saved under its index and term, and none is one that others took the
// place of. The terms of a log never go down, and what is newer than what was saved
// has no lower term.
func (w *Watcher) rereads(c *cluster, node uint64, l *log, f *found) {
	least := f.snapshot.Term
	for i := range f.entries {
		e := &f.entries[i]
		had := l.term(e.Index)
		least = max(least, had)
		b := invariant.Breach{Node: node, Host: l.host, EntryTerm: e.Term, LastTerm: least, Index: e.Index}
		switch {
		case e.Term < least:
			b.Kind = invariant.NotReplaced
		case had != 0 && e.Term > had && e.Index <= l.state.Commit, e.Term == had && differs(c.entries[position{e.Term, e.Index}].sum, sum(e)):
			b.Kind = invariant.EntryChanged
		default:
			least = e.Term
			continue
		}
		w.breach(c, b)
		return
	}
}

// differs reports whether two sums are known and not the same.
func differs(a, b uint32) bool { return a != 0 && b != 0 && a != b }

// start takes over what is found beyond what was saved.
func (l *log) start(f *found) error {
	from := max(l.state.Commit, f.snapshot.Index) // what is committed does not change
	if f.state.Term > l.state.Term || f.state.Term == l.state.Term && l.state.Vote == 0 {
		l.state = f.state
	}
	if f.state.Term == l.state.Term {
		l.state.Commit = f.state.Commit
	}
	if f.snapshot.Index > l.snapshot {
		l.recover(f.snapshot)
	}
	if f.last() <= from {
		return nil
	}
	return l.append(f.entries[from-f.snapshot.Index:])
}
