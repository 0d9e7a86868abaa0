// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	"slices"
	"testing"

	"github.com/lni/dragonboat/v3/raftio"
	pb "github.com/lni/dragonboat/v3/raftpb"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// fakeLogDB answers what it is told to.
type fakeLogDB struct {
	raftio.ILogDB
	state     raftio.RaftState
	err       error
	entries   []pb.Entry
	snapshots []pb.Snapshot
}

func (f *fakeLogDB) IterateEntries(_ []pb.Entry, _ uint64, _, _, low, high, _ uint64) ([]pb.Entry, uint64, error) {
	var out []pb.Entry
	for _, e := range f.entries {
		if low <= e.Index && e.Index < high {
			out = append(out, e)
		}
	}
	return out, 0, nil
}

func (f *fakeLogDB) ListSnapshots(uint64, uint64, uint64) ([]pb.Snapshot, error) {
	return f.snapshots, nil
}

// bootstrap are the entries that each log of newCluster7 begins with.
var bootstrap = []pb.Entry{{Index: 1, Term: 1}, {Index: 2, Term: 1}, {Index: 3, Term: 1}}

func (f *fakeLogDB) ReadRaftState(uint64, uint64, uint64) (raftio.RaftState, error) {
	return f.state, f.err
}

func (f *fakeLogDB) RemoveNodeData(uint64, uint64) error { return nil }

func (f *fakeLogDB) SaveRaftState([]pb.Update, uint64) error { return nil }

// What was on its way to the disk when the power went may be there all the same.
func TestWhatIsFoundAtAStartCountsAsSaved(t *testing.T) {
	c := newCluster7(t)
	c.saves(2, pb.State{Term: 4, Vote: 1, Commit: 3}, 0)
	db := fakeLogDB{state: raftio.RaftState{State: pb.State{Term: 5, Vote: 3, Commit: 3}, FirstIndex: 1, EntryCount: 5},
		entries: append(slices.Clone(bootstrap), pb.Entry{Index: 4, Term: 5}, pb.Entry{Index: 5, Term: 5})}
	d := &logDB{ILogDB: &db, watcher: c.w, host: "h", named: same, killed: func() bool { return false }}
	_, err := d.ReadRaftState(7, 2, 0)
	require.NoError(t, err)
	c.w.saidVote(c.w.cluster(7), ballot{2, 5}, 3)
	c.w.saidEntry(c.w.cluster(7), ballot{2, 5}, 5)
	c.is()
	c.w.saidEntry(c.w.cluster(7), ballot{2, 5}, 6)
	c.is(invariant.SaidUnsaved)
}

func TestWhatWasReplacedIsGone(t *testing.T) {
	for name, x := range map[string]struct {
		found []pb.Entry
		want  []invariant.BreachKind
	}{
		"all is there":                 {[]pb.Entry{{Index: 4, Term: 4}}, nil},
		"newer ones were on their way": {[]pb.Entry{{Index: 4, Term: 5}, {Index: 5, Term: 5}}, nil},
		"an older one is back":         {[]pb.Entry{{Index: 4, Term: 3}}, []invariant.BreachKind{invariant.NotReplaced}},
		"older ones follow":            {[]pb.Entry{{Index: 4, Term: 4}, {Index: 5, Term: 3}}, []invariant.BreachKind{invariant.NotReplaced}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.saves(2, pb.State{Term: 4, Vote: 1, Commit: 3}, 4, 4)
			db := fakeLogDB{state: raftio.RaftState{State: pb.State{Term: 5, Vote: 1, Commit: 3}, FirstIndex: 1, EntryCount: 3 + uint64(len(x.found))}, entries: append(slices.Clone(bootstrap), x.found...)}
			d := &logDB{ILogDB: &db, watcher: c.w, host: "h", named: same, killed: func() bool { return false }}
			_, err := d.ReadRaftState(7, 2, 0)
			require.NoError(t, err)
			c.is(x.want...)
		})
	}
}

func TestNothingThatWasSavedIsForgotten(t *testing.T) {
	whole := raftio.RaftState{State: pb.State{Term: 4, Vote: 1, Commit: 3}, FirstIndex: 1, EntryCount: 3}
	of := func(f func(s *raftio.RaftState)) raftio.RaftState {
		s := whole
		f(&s)
		return s
	}
	forgotten := []invariant.BreachKind{invariant.Forgotten}
	for name, x := range map[string]struct {
		db     fakeLogDB
		before func(x *cluster7, d *logDB)
		want   []invariant.BreachKind
	}{
		"all is there":            {db: fakeLogDB{state: whole}},
		"in a later term":         {db: fakeLogDB{state: of(func(s *raftio.RaftState) { s.State = pb.State{Term: 5, Commit: 3} })}},
		"a snapshot has the rest": {db: fakeLogDB{state: of(func(s *raftio.RaftState) { s.FirstIndex, s.EntryCount = 3, 0 }), snapshots: []pb.Snapshot{{Index: 3, Term: 1}}}},
		"a term":                  {db: fakeLogDB{state: of(func(s *raftio.RaftState) { s.State.Term = 3 })}, want: forgotten},
		"a vote":                  {db: fakeLogDB{state: of(func(s *raftio.RaftState) { s.State.Vote = 0 })}, want: forgotten},
		"an entry":                {db: fakeLogDB{state: of(func(s *raftio.RaftState) { s.EntryCount = 2 })}, want: forgotten},
		"everything":              {db: fakeLogDB{err: raftio.ErrNoSavedLog}, want: []invariant.BreachKind{invariant.Forgotten, invariant.ForgottenCommit}},
		"a commitment":            {db: fakeLogDB{state: of(func(s *raftio.RaftState) { s.State.Commit = 2 })}, want: []invariant.BreachKind{invariant.ForgottenCommit}},
		"by a disk that was lost": {db: fakeLogDB{err: raftio.ErrNoSavedLog}, before: func(x *cluster7, _ *logDB) { x.w.Lost("h") }},
		"on purpose": {db: fakeLogDB{err: raftio.ErrNoSavedLog}, before: func(x *cluster7, d *logDB) {
			require.NoError(x.t, d.RemoveNodeData(7, 2))
		}},
		"what was saved after a kill": {db: fakeLogDB{state: whole}, before: func(x *cluster7, d *logDB) {
			dead := *d
			dead.killed = func() bool { return true }
			require.NoError(x.t, dead.SaveRaftState([]pb.Update{{ClusterID: 7, NodeID: 2, State: pb.State{Term: 9}}}, 1))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.saves(2, pb.State{Term: 4, Vote: 1, Commit: 3}, 0)
			x.db.entries = bootstrap
			d := &logDB{ILogDB: &x.db, watcher: c.w, host: "h", named: same, killed: func() bool { return false }}
			if x.before != nil {
				x.before(c, d)
			}
			_, err := d.ReadRaftState(7, 2, 0)
			require.Equal(t, x.db.err, err)
			c.is(x.want...)
		})
	}
}

func TestEntriesAreReadBackAsTheyWereSaved(t *testing.T) {
	content := func(text string) []pb.Entry {
		return append(slices.Clone(bootstrap), pb.Entry{Index: 4, Term: 4, Cmd: []byte(text)}, pb.Entry{Index: 5, Term: 4})
	}
	changed := []invariant.BreachKind{invariant.EntryChanged}
	for name, x := range map[string]struct {
		commit uint64
		found  []pb.Entry
		want   []invariant.BreachKind
	}{
		"as they were":                      {3, content("a"), nil},
		"another content":                   {3, content("b"), changed},
		"another content of a committed":    {5, content("b"), changed},
		"a newer one of a committed":        {4, append(slices.Clone(bootstrap), pb.Entry{Index: 4, Term: 5}, pb.Entry{Index: 5, Term: 5}), changed},
		"fewer and newer were on the way":   {3, append(slices.Clone(bootstrap), pb.Entry{Index: 4, Term: 5}), nil},
		"fewer":                             {3, content("a")[:4], []invariant.BreachKind{invariant.Forgotten}},
		"a gap":                             {3, content("a")[1:], []invariant.BreachKind{invariant.Forgotten}},
		"an older one in a committed place": {5, append(slices.Clone(bootstrap), pb.Entry{Index: 4, Term: 3}, pb.Entry{Index: 5, Term: 4}), []invariant.BreachKind{invariant.NotReplaced}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			c.save(pb.Update{ClusterID: 7, NodeID: 2, State: pb.State{Term: 4, Vote: 1, Commit: 3}, EntriesToSave: content("a")[3:]})
			c.c.logs[2].state.Commit = x.commit
			db := fakeLogDB{entries: x.found, state: raftio.RaftState{State: pb.State{Term: 5, Vote: 1, Commit: x.commit}, FirstIndex: x.found[0].Index, EntryCount: uint64(len(x.found))}}
			d := &logDB{ILogDB: &db, watcher: c.w, host: "h", named: same, killed: func() bool { return false }}
			_, err := d.ReadRaftState(7, 2, 0)
			require.NoError(t, err)
			c.is(x.want...)
		})
	}
}

func TestTheNewestSnapshotIsReadBack(t *testing.T) {
	second := pb.Snapshot{Index: 3, Term: 1, OnDiskIndex: 2, Membership: voters(3, 1, 2, 3)}
	first, other, newer := second, second, second
	first.Index, other.OnDiskIndex, newer.Index = 2, 0, 4
	gone := []invariant.BreachKind{invariant.ForgottenSnapshot}
	for name, x := range map[string]struct {
		found []pb.Snapshot
		want  []invariant.BreachKind
	}{
		"it is there":                  {[]pb.Snapshot{first, second}, nil},
		"a newer one was on its way":   {[]pb.Snapshot{second, newer}, nil},
		"it is gone":                   {[]pb.Snapshot{first}, gone},
		"all are gone":                 {nil, gone},
		"it has another on-disk index": {[]pb.Snapshot{other}, gone},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster7(t)
			db := fakeLogDB{entries: bootstrap, snapshots: x.found, state: raftio.RaftState{State: pb.State{Term: 1, Commit: 4}, FirstIndex: 1, EntryCount: 3}}
			d := &logDB{ILogDB: &db, watcher: c.w, host: "h", named: same, killed: func() bool { return false }}
			for _, s := range []pb.Snapshot{first, second} {
				require.NoError(t, d.SaveSnapshots([]pb.Update{{ClusterID: 7, NodeID: 2, Snapshot: s}}))
			}
			_, err := d.ReadRaftState(7, 2, 0)
			require.NoError(t, err)
			c.is(x.want...)
		})
	}
}

// A snapshot is late when its node knows more to be committed, and has no such
// snapshot itself. It arrives with its last chunk.
func TestLateSnapshotsAreCounted(t *testing.T) {
	c := newCluster7(t)
	arrive := func(index, chunk, chunks uint64) int {
		c.w.WatchChunk(same, &pb.Chunk{ClusterId: 7, NodeId: 2, Index: index, ChunkId: chunk, ChunkCount: chunks})
		return c.w.Found().LateSnapshots
	}
	require.Zero(t, arrive(6, 0, 1), "it is what the node needs")
	c.save(pb.Update{ClusterID: 7, NodeID: 2, State: pb.State{Term: 1, Commit: 6}, Snapshot: pb.Snapshot{Index: 6, Term: 1, Membership: voters(3, 1, 2, 3)}})
	require.Equal(t, 1, c.w.Found().Snapshots)
	c.saves(2, pb.State{Term: 1, Commit: 7}, 7, 1)
	require.Zero(t, arrive(6, 0, 1), "the node has it")
	require.Zero(t, arrive(5, 0, 2), "the second chunk is missing")
	require.Equal(t, 1, arrive(5, 1, 2))
	require.Equal(t, 2, arrive(4, 9, pb.LastChunkCount))
}
