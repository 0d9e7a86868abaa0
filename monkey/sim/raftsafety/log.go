// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// log is what a node has saved.
type log struct {
	host     string
	state    pb.State
	terms    []uint32 // by index; 0: not known
	last     uint64   // the index of its last entry
	snapshot uint64   // the index of the newest snapshot that it was given
	record   record   // of that one
	begins   uint64   // the index of the snapshot behind which it begins; 0: at its beginning
	changes  []change // of the membership, in the order of their indexes
	gone     bool     // it was deleted on purpose, or with its disk
	// least is what was committed when it was seen first.
	least      uint64
	leadership leadership
}

// change is an entry that changes the membership.
type change struct {
	pb.ConfigChange
	index uint64
}

// term is that of an entry; 0 if it is not known.
func (l *log) term(index uint64) uint64 {
	if index > l.last || index >= uint64(len(l.terms)) {
		return 0
	}
	return uint64(l.terms[index])
}

// has reports whether an entry was saved, or is a part of a snapshot. A term of 0
// stands for any.
func (l *log) has(p position) bool {
	if l == nil {
		return false
	}
	if p.index <= l.snapshot {
		return true
	}
	return p.index <= l.last && (p.term == 0 || l.term(p.index) == p.term)
}

// append adds entries in place of all that follow.
func (l *log) append(entries []pb.Entry) error {
	first := entries[0].Index
	l.forget(first)
	l.changes = slices.DeleteFunc(l.changes, func(c change) bool { return c.index >= first })
	l.last = entries[len(entries)-1].Index
	l.terms = grown(l.terms, l.last)
	for i := range entries {
		e := &entries[i]
		l.terms[e.Index] = uint32(e.Term)
		if e.Type == pb.ConfigChangeEntry {
			c := change{index: e.Index}
			if err := c.Unmarshal(e.Cmd); err != nil {
				return err
			}
			l.changes = append(l.changes, c)
		}
	}
	return nil
}

// forget makes the entries from an index on unknown.
func (l *log) forget(from uint64) {
	if from < uint64(len(l.terms)) {
		clear(l.terms[from:])
	}
}

// recover begins the log anew behind a snapshot.
func (l *log) recover(s pb.Snapshot) {
	if s.Index > l.snapshot {
		l.snapshot, l.record = s.Index, recordOf(&s)
	}
	if l.term(s.Index) != s.Term {
		l.forget(0)
		l.last, l.begins = s.Index, s.Index
		l.terms = grown(l.terms, s.Index)
		l.terms[s.Index] = uint32(s.Term)
	}
}

// saved takes over what a node has saved, and checks it.
func (w *Watcher) saved(c *cluster, host string, u *pb.Update) error {
	l := c.log(u.NodeID, host)
	if l.least == 0 {
		l.least = max(u.State.Commit, u.Snapshot.Index)
	}
	was, end := l.state, l.end()
	w.keeps(c, l, u)
	if !pb.IsEmptySnapshot(u.Snapshot) {
		w.taken(c, l, u)
		l.recover(u.Snapshot)
	}
	if len(u.EntriesToSave) > 0 {
		w.takes(c, l, u, was)
		if err := l.append(u.EntriesToSave); err != nil {
			return fmt.Errorf("cluster %d: a membership change in the log of node %d: %w", c.id, u.NodeID, err)
		}
		w.match(c, l, u)
	}
	if !pb.IsEmptyState(u.State) {
		l.state = u.State
	}
	by := ballot{u.NodeID, l.state.Term}
	w.served(c, l, u)
	w.sends(c, l, u, was, end)
	w.advance(c, l, u, was)
	w.prove(c, claim{position{index: l.state.Commit}, by}, c.leaders[by])
	for i := range u.CommittedEntries {
		e := &u.CommittedEntries[i]
		w.commit(c, claim{position{e.Term, e.Index}, by})
	}
	return nil
}

// log finds the log of a node, or begins with it.
func (c *cluster) log(node uint64, host string) *log {
	l := c.logs[node]
	if l == nil {
		l = &log{host: host}
		c.logs[node] = l
	}
	return l
}

// end is the last entry of the log.
func (l *log) end() position { return position{l.term(l.last), l.last} }

// entry is what an entry of some index and term is, and what is before it.
type entry struct {
	before uint32 // the term of the one before; 0: not known
	sum    uint32 // of its content; 0: not known
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is a checksum of the content of an entry, never 0. A witness gets none of it.
func sum(e *pb.Entry) uint32 {
	if e.Type == pb.MetadataEntry {
		return 0
	}
	var head [40]byte
	for i, v := range [...]uint64{uint64(e.Type), e.Key, e.ClientID, e.SeriesID, e.RespondedTo} {
		binary.LittleEndian.PutUint64(head[8*i:], v)
	}
	return max(1, crc32.Update(crc32.Checksum(head[:], castagnoli), castagnoli, e.Cmd))
}

// match checks that each new entry of a log, and what is before it, is the same in all
// others (log matching). An entry's index and term name it.
func (w *Watcher) match(c *cluster, l *log, u *pb.Update) {
	for i := range u.EntriesToSave {
		e := &u.EntriesToSave[i]
		p, here := position{e.Term, e.Index}, entry{uint32(l.term(e.Index - 1)), sum(e)}
		first, known := c.entries[p]
		if !known && here.before != 0 {
			w.found.Entries++
		}
		if all := (entry{cmp.Or(first.before, here.before), cmp.Or(first.sum, here.sum)}); all != first {
			c.entries[p] = all
		}
		b := invariant.Breach{Node: u.NodeID, Term: max(l.state.Term, u.Term), Index: e.Index, EntryTerm: e.Term}
		if first.before != 0 && here.before != 0 && first.before != here.before {
			b.Kind, b.LastTerm, b.OtherTerm = invariant.LogsDiffer, uint64(here.before), uint64(first.before)
			w.breach(c, b)
		} else if first.sum != 0 && here.sum != 0 && first.sum != here.sum {
			b.Kind = invariant.EntriesDiffer
			w.breach(c, b)
		}
	}
}

// saidVote checks that a node has saved a vote before others hear of it. What it has
// saved since in a later term says nothing of it.
func (w *Watcher) saidVote(c *cluster, by ballot, candidate uint64) {
	if l := c.logs[by.node]; l != nil && (l.state.Term < by.term || l.state.Term == by.term && l.state.Vote != candidate) {
		w.breach(c, invariant.Breach{Kind: invariant.SaidUnsaved, Node: by.node, Term: by.term, Others: []uint64{candidate}})
	}
}

// saidEntry checks that a node has saved its log up to an index before others hear of
// it.
func (w *Watcher) saidEntry(c *cluster, by ballot, index uint64) {
	if l := c.logs[by.node]; l != nil && (l.state.Term < by.term || l.state.Term == by.term && max(l.last, l.snapshot) < index) {
		w.breach(c, invariant.Breach{Kind: invariant.SaidUnsaved, Node: by.node, Term: by.term, Index: index, LastIndex: l.last})
	}
}

// saidTerm checks that a node has saved its term before others hear of it.
func (w *Watcher) saidTerm(c *cluster, by ballot) {
	if l := c.logs[by.node]; l != nil && l.state.Term < by.term {
		w.breach(c, invariant.Breach{Kind: invariant.SaidUnsaved, Node: by.node, Term: by.term, LastTerm: l.state.Term})
	}
}

// keeps checks that a node does not go back on what it had saved: its term and what is
// committed only grow, and in a term it votes once.
func (w *Watcher) keeps(c *cluster, l *log, u *pb.Update) {
	if pb.IsEmptyState(u.State) || l.gone {
		return
	}
	switch was := l.state; {
	case u.State.Term < was.Term || u.State.Commit < was.Commit:
		w.breach(c, invariant.Breach{Kind: invariant.WentBack, Node: u.NodeID, Term: u.State.Term, LastTerm: was.Term, Index: u.State.Commit, LastIndex: was.Commit})
	case u.State.Term == was.Term && was.Vote != 0 && u.State.Vote != was.Vote:
		w.breach(c, invariant.Breach{Kind: invariant.VoteChanged, Node: u.NodeID, Term: was.Term, Others: []uint64{was.Vote, u.State.Vote}})
	}
}

// Lost says that a host's disk was emptied.
func (w *Watcher) Lost(host string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.clusters {
		for _, l := range c.logs {
			if l.host == host {
				l.gone = true
			}
		}
	}
}

// Begun says that all disks of a cluster are lost: what runs under its ID from now on is
// another one.
func (w *Watcher) Begun(cluster uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.clusters, cluster)
}
