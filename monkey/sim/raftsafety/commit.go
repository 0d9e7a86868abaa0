// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// replicated notes which of the entries of a message are committed by its leader's
// word.
func (w *Watcher) replicated(c *cluster, leader ballot, m *pb.Message) {
	if m.LogIndex <= m.Commit {
		w.commit(c, claim{position{m.LogTerm, m.LogIndex}, leader})
	}
	for i := range m.Entries {
		if e := &m.Entries[i]; e.Index <= m.Commit {
			w.commit(c, claim{position{e.Term, e.Index}, leader})
		}
	}
}

// commit notes that an entry is committed, and checks that no other one is at its
// index.
func (w *Watcher) commit(c *cluster, x claim) {
	if x.term == 0 { // the beginning of the log, or of what is left of it
		return
	}
	c.committed = grown(c.committed, x.index)
	switch known := uint64(c.committed[x.index]); known {
	case x.term:
		return
	case 0:
		c.committed[x.index] = uint32(x.term)
		w.found.Commits++
	default:
		w.breach(c, invariant.Breach{Kind: invariant.TwoCommits, Node: x.by.node, Term: x.by.term, Index: x.index, EntryTerm: x.term, LastTerm: known})
		return
	}
	if c.newest.position.before(x.position) {
		c.newest = x
	}
	if x.by.term < c.leading.term { // the word is late
		for leader := range c.leaders {
			if _, known := c.candidacies[leader]; known {
				w.complete(c, leader, x)
			}
		}
	}
}

// grown makes room for an index.
func grown(terms []uint32, index uint64) []uint32 {
	for uint64(len(terms)) <= index {
		terms = append(terms, make([]uint32, max(64, len(terms)/2))...)
	}
	return terms
}

// prove checks that a node says with right that its log is committed up to an index:
// that a majority has saved that entry, and, where the node leads, that the entry is
// of its own term, for one of an earlier term is not committed by being counted
// (section 5.4.2 of the paper).
func (w *Watcher) prove(c *cluster, x claim, leads bool) {
	l := c.logs[x.by.node]
	if x.index <= c.proven || l == nil || x.index > l.last {
		return
	}
	term := l.term(x.index)
	if leads && term != 0 && term < x.by.term {
		w.breach(c, invariant.Breach{Kind: invariant.EarlierTermCommit, Node: x.by.node, Term: x.by.term, Index: x.index, EntryTerm: term})
	}
	saved := func(node uint64) bool { return c.logs[node].has(position{term, x.index}) }
	if by := c.goneBy(x.index); !majority(by, saved) {
		b := invariant.Breach{Kind: invariant.MinorityCommit, Node: x.by.node, Term: x.by.term, Index: x.index, EntryTerm: term, Voters: by[len(by)-1].voters()}
		for _, node := range b.Voters {
			if saved(node) {
				b.Others = append(b.Others, node)
			}
		}
		w.breach(c, b)
	}
	before := c.proven
	c.proven, c.provenTerm = x.index, max(c.provenTerm, term)
	w.change(c, l, before)
}

// change takes over the membership changes of a log behind an index that were proven
// to be committed.
func (w *Watcher) change(c *cluster, l *log, before uint64) {
	if len(c.memberships) == 0 {
		return
	}
	c.unsure = c.unsure || l.begins > before
	for _, change := range l.changes {
		if change.index > before && change.index <= c.proven {
			if next := c.memberships[len(c.memberships)-1].after(change.ConfigChange, change.index, c.about.Ordered); next != nil {
				w.promoted(c, change, next)
				c.memberships = append(c.memberships, next)
			}
		}
	}
}
