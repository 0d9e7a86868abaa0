// SPDX-License-Identifier: Apache-2.0

package memlog

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/lni/dragonboat/v3/raftio"
	pb "github.com/lni/dragonboat/v3/raftpb"
)

// replica is the log of one Raft node.
type replica struct {
	bootstrap *pb.Bootstrap // nil: none was saved
	state     *pb.State     // nil: none was saved
	snapshots []pb.Snapshot // by index
	// entries have consecutive indexes, and Cmds of their own.
	entries []pb.Entry
	// last is the index of the last entry, or of the snapshot in place of entries;
	// 0: there was none.
	last uint64
}

// apply makes a change of this replica.
func (r *replica) apply(c *change) {
	switch c.kind {
	case bootstrapped:
		r.bootstrap = &c.bootstrap
	case voted:
		r.state = &c.state
	case snapshotted:
		at, there := r.snapshot(c.snapshot.Index)
		if there {
			r.snapshots[at] = c.snapshot
		} else {
			r.snapshots = slices.Insert(r.snapshots, at, c.snapshot)
		}
	case unsnapshotted:
		if at, there := r.snapshot(c.index); there {
			r.snapshots = slices.Delete(r.snapshots, at, at+1)
		}
	case restored:
		r.entries, r.last = nil, c.index
	case appended:
		r.append(c.entries)
	case trimmed:
		// what is kept moves, or the memory of what is gone would stay
		r.entries = slices.Clone(r.from(c.index))
	case removed:
		*r = replica{}
	}
}

// snapshot finds the place of a snapshot, and reports whether it is there.
func (r *replica) snapshot(index uint64) (at int, there bool) {
	return slices.BinarySearchFunc(r.snapshots, index, func(s pb.Snapshot, index uint64) int { return cmp.Compare(s.Index, index) })
}

// append puts entries in place of those from the first one's index on. Behind a
// gap the log begins anew.
func (r *replica) append(entries []pb.Entry) {
	if len(entries) == 0 {
		return
	}
	first := entries[0].Index
	kept := len(r.entries) - len(r.from(first))
	if kept > 0 && r.entries[kept-1].Index+1 != first {
		kept = 0
	}
	r.entries = r.entries[:kept]
	for _, e := range entries {
		e.Cmd = bytes.Clone(e.Cmd)
		r.entries = append(r.entries, e)
	}
	r.last = entries[len(entries)-1].Index
}

// from returns the entries from an index on.
func (r *replica) from(index uint64) []pb.Entry {
	if len(r.entries) == 0 || index <= r.entries[0].Index {
		return r.entries
	}
	return r.entries[min(index-r.entries[0].Index, uint64(len(r.entries))):]
}

// read is raftio.ILogDB's ReadRaftState.
func (r *replica) read(snapshot uint64) (raftio.RaftState, error) {
	if r == nil || r.state == nil {
		return raftio.RaftState{}, raftio.ErrNoSavedLog
	}
	out := raftio.RaftState{State: *r.state, FirstIndex: snapshot}
	if r.last == 0 || r.last == snapshot {
		return out, nil
	}
	entries := r.from(snapshot)
	if len(entries) == 0 {
		return out, fmt.Errorf("the log ends at index %d and has no entry from index %d on", r.last, snapshot)
	}
	out.FirstIndex, out.EntryCount = entries[0].Index, uint64(len(entries))
	return out, nil
}

// iterate is raftio.ILogDB's IterateEntries: as many of the entries from low to
// before high as are not larger than maxSize in total, and one more.
func (r *replica) iterate(to []pb.Entry, size, low, high, maxSize uint64) ([]pb.Entry, uint64) {
	if r == nil {
		return to, size
	}
	for _, e := range r.from(low) {
		if e.Index != low || e.Index >= high {
			break
		}
		e.Cmd = bytes.Clone(e.Cmd)
		to = append(to, e)
		low++
		if size += uint64(e.SizeUpperLimit()); size > maxSize {
			break
		}
	}
	return to, size
}

// changes are those that make the replica from nothing.
func (r *replica) changes(of raftio.NodeInfo) []change {
	var out []change
	if r.bootstrap != nil {
		out = append(out, change{kind: bootstrapped, of: of, bootstrap: *r.bootstrap})
	}
	if r.state != nil {
		out = append(out, change{kind: voted, of: of, state: *r.state})
	}
	for _, s := range r.snapshots {
		out = append(out, change{kind: snapshotted, of: of, snapshot: s})
	}
	if r.last > 0 {
		out = append(out, change{kind: restored, of: of, index: r.last})
	}
	if len(r.entries) > 0 {
		out = append(out, change{kind: appended, of: of, entries: r.entries})
	}
	return out
}
