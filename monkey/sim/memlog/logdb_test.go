// SPDX-License-Identifier: Apache-2.0

package memlog

import (
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/logger"
	"github.com/lni/dragonboat/v3/raftio"
	pb "github.com/lni/dragonboat/v3/raftpb"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
)

func TestMain(m *testing.M) {
	for _, name := range []string{"logdb", "pebblekv"} {
		logger.GetLogger(name).SetLevel(logger.CRITICAL)
	}
	m.Run()
}

const dir = "/raft"

// create opens a LogDB of one kind on a disk.
func create(t require.TestingT, f config.LogDBFactory, disk vfs.FS) raftio.ILogDB {
	require.NoError(t, disk.MkdirAll(dir, 0o755))
	logdb := config.GetTinyMemLogDBConfig()
	logdb.Shards = 1
	db, err := f.Create(config.NodeHostConfig{NodeHostDir: dir, Expert: config.ExpertConfig{
		FS: disk, LogDB: logdb, Engine: config.EngineConfig{ExecShards: 1}}}, nil, []string{dir}, []string{dir})
	require.NoError(t, err)
	return db
}

// both is a LogDB in memory beside Dragonboat's own, to which the same is done.
type both struct {
	t            *rapid.T
	memory, real raftio.ILogDB
	disks        [2]vfs.FS
	logs         map[raftio.NodeInfo]*shape
	// No two updates have the same term: Dragonboat's own does not write a state that
	// equals the last one of its node, also if that node was removed since.
	term uint64
}

// shape is what Raft knows of a log: it only asks for what can be.
type shape struct {
	term, commit           uint64
	snapshot, first, after uint64 // indexes: of the newest snapshot, of the first entry, behind the last
	top                    uint64 // the highest index that an entry ever had
}

func (b *both) do(what string, f func(raftio.ILogDB) error) {
	require.NoError(b.t, f(b.real), "%s, Dragonboat's own", what)
	require.NoError(b.t, f(b.memory), what)
}

func (b *both) draw() (raftio.NodeInfo, *shape) {
	of := raftio.GetNodeInfo(rapid.Uint64Range(1, 2).Draw(b.t, "cluster"), rapid.Uint64Range(1, 2).Draw(b.t, "node"))
	if b.logs[of] == nil {
		b.logs[of] = &shape{first: 1, after: 1}
		bootstrap := pb.Bootstrap{Join: of.NodeID == 2, Type: pb.RegularStateMachine, Addresses: map[uint64]string{of.NodeID: "a"}}
		b.do("bootstrap", func(db raftio.ILogDB) error { return db.SaveBootstrapInfo(of.ClusterID, of.NodeID, bootstrap) })
	}
	return of, b.logs[of]
}

// update draws an update of a log: entries at its end or in place of some that are
// not committed, and sometimes a snapshot from the leader before.
func (b *both) update() {
	of, s := b.draw()
	b.term++
	s.term = b.term
	u := pb.Update{ClusterID: of.ClusterID, NodeID: of.NodeID, State: pb.State{Term: s.term, Vote: 1, Commit: s.commit}}
	from := rapid.Uint64Range(max(s.commit, s.snapshot)+1, s.after).Draw(b.t, "from")
	if rapid.IntRange(0, 4).Draw(b.t, "kind") == 0 {
		// Not where an entry was that others have replaced: Dragonboat's own may show it
		// again, at the index of the snapshot, where Raft does not look.
		s.snapshot = max(s.after, s.top+1) + rapid.Uint64Range(0, 3).Draw(b.t, "ahead")
		s.first, from = s.snapshot+1, s.snapshot+1
		s.commit = s.snapshot
		u.Snapshot = pb.Snapshot{ClusterId: of.ClusterID, Index: s.snapshot, Term: s.term, Filepath: "x"}
		u.State.Commit = s.commit
	}
	for range rapid.IntRange(1, 5).Draw(b.t, "entries") {
		cmd := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(b.t, "cmd")
		u.EntriesToSave = append(u.EntriesToSave, pb.Entry{Index: from, Term: s.term, Key: 7, Cmd: cmd})
		from++
	}
	s.after, s.top = from, max(s.top, from-1)
	b.do("update", func(db raftio.ILogDB) error { return db.SaveRaftState([]pb.Update{u}, 1) })
	for _, e := range u.EntriesToSave { // what was saved is nobody else's any more
		clear(e.Cmd)
	}
	s.commit = rapid.Uint64Range(s.commit, s.after-1).Draw(b.t, "commit")
}

// snapshot makes a snapshot of what was committed, and drops entries before it.
func (b *both) snapshot() {
	of, s := b.draw()
	if s.commit <= s.snapshot {
		return
	}
	s.snapshot = rapid.Uint64Range(s.snapshot+1, s.commit).Draw(b.t, "snapshot")
	u := pb.Update{ClusterID: of.ClusterID, NodeID: of.NodeID, Snapshot: pb.Snapshot{ClusterId: of.ClusterID, Index: s.snapshot, Term: s.term, Filepath: "x"}}
	b.do("snapshot", func(db raftio.ILogDB) error { return db.SaveSnapshots([]pb.Update{u}) })
	if trim := rapid.Uint64Range(0, s.snapshot).Draw(b.t, "trim"); trim > s.first {
		s.first = trim
		b.do("trim", func(db raftio.ILogDB) error { return db.RemoveEntriesTo(of.ClusterID, of.NodeID, trim) })
		b.do("compact", func(db raftio.ILogDB) error {
			done, err := db.CompactEntriesTo(of.ClusterID, of.NodeID, trim)
			if err == nil {
				<-done
			}
			return err
		})
	}
	for _, old := range b.list(b.memory, of, s.snapshot-1) {
		b.do("delete a snapshot", func(db raftio.ILogDB) error { return db.DeleteSnapshot(of.ClusterID, of.NodeID, old.Index) })
	}
}

func (b *both) remove() {
	of, _ := b.draw()
	delete(b.logs, of)
	b.do("remove", func(db raftio.ILogDB) error { return db.RemoveNodeData(of.ClusterID, of.NodeID) })
}

// importSnapshot imports one as tools.ImportSnapshot does: the NodeHost starts after.
func (b *both) importSnapshot() {
	of, s := b.draw()
	b.term++
	index := max(s.after, s.top) + 1
	*s = shape{term: b.term, snapshot: index, commit: index, top: s.top}
	s.first, s.after = s.snapshot+1, s.snapshot+1
	snapshot := pb.Snapshot{ClusterId: of.ClusterID, Index: s.snapshot, Term: s.term, Type: pb.RegularStateMachine, Filepath: "x"}
	b.do("import", func(db raftio.ILogDB) error { return db.ImportSnapshot(snapshot, of.NodeID) })
	b.reopen()
}

func (b *both) reopen() {
	b.do("close", raftio.ILogDB.Close)
	b.memory, b.real = create(b.t, Factory{}, b.disks[0]), create(b.t, diskcheck.New(nil), b.disks[1])
}

func (b *both) list(db raftio.ILogDB, of raftio.NodeInfo, index uint64) []pb.Snapshot {
	snapshots, err := db.ListSnapshots(of.ClusterID, of.NodeID, index)
	require.NoError(b.t, err)
	return snapshots
}

// compare asks both for all that they have.
func (b *both) compare() {
	nodes, err := b.memory.ListNodeInfo()
	require.NoError(b.t, err)
	want, err := b.real.ListNodeInfo()
	require.NoError(b.t, err)
	require.ElementsMatch(b.t, want, nodes)
	for cluster := range uint64(3) {
		for node := range uint64(3) {
			of := raftio.GetNodeInfo(cluster, node)
			require.Equal(b.t, b.describe(b.real, of), b.describe(b.memory, of), "%+v", of)
		}
	}
}

// describe is all that a LogDB has of a replica, as far as Raft asks for it.
func (b *both) describe(db raftio.ILogDB, of raftio.NodeInfo) string {
	bootstrap, bootstrapErr := db.GetBootstrapInfo(of.ClusterID, of.NodeID)
	out := fmt.Sprintln(bootstrap, bootstrapErr)
	snapshots := b.list(db, of, math.MaxUint64)
	newest := uint64(0)
	for _, s := range snapshots {
		out += fmt.Sprintln("snapshot", s.Index, s.Term, s.Filepath)
		newest = s.Index
	}
	state, err := db.ReadRaftState(of.ClusterID, of.NodeID, newest)
	out += fmt.Sprintln(state, err)
	for i := range state.EntryCount {
		for _, maxSize := range []uint64{0, 200, math.MaxUint64} {
			some, size, err := db.IterateEntries(nil, 5, of.ClusterID, of.NodeID, state.FirstIndex+i, state.FirstIndex+state.EntryCount, maxSize)
			out += fmt.Sprintln(maxSize, size, err)
			for _, e := range some {
				out += fmt.Sprintf("entry %d %d %d %x\n", e.Index, e.Term, e.Key, e.Cmd)
			}
		}
	}
	return out
}

// Whatever Raft does, the LogDB has what Dragonboat's own has, also after it was
// opened anew.
func TestLikeDragonboatsOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &both{t: t, disks: [2]vfs.FS{vfs.NewMem(), vfs.NewMem()}, logs: map[raftio.NodeInfo]*shape{}}
		b.memory, b.real = create(t, Factory{}, b.disks[0]), create(t, diskcheck.New(nil), b.disks[1])
		t.Repeat(map[string]func(*rapid.T){
			"update":   func(*rapid.T) { b.update() },
			"snapshot": func(*rapid.T) { b.snapshot() },
			"remove":   func(*rapid.T) { b.remove() },
			"import":   func(*rapid.T) { b.importSnapshot() },
			"reopen":   func(*rapid.T) { b.reopen() },
			"":         func(*rapid.T) { b.compare() },
		})
		b.do("close", raftio.ILogDB.Close)
	})
}

func save(t *testing.T, db raftio.ILogDB, from uint64, commands ...string) {
	u := pb.Update{ClusterID: 1, NodeID: 1, State: pb.State{Term: 1, Commit: from - 1}}
	for _, c := range commands {
		u.EntriesToSave = append(u.EntriesToSave, pb.Entry{Term: 1, Index: from, Cmd: []byte(c)})
		from++
	}
	require.NoError(t, db.SaveRaftState([]pb.Update{u}, 1))
}

func contents(t require.TestingT, disk vfs.FS) []byte {
	file, err := disk.Open(dir + "/" + journalName)
	require.NoError(t, err)
	data, err := io.ReadAll(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	return data
}

// Wherever a journal is torn, the records before are there, and whole.
func TestTornJournal(t *testing.T) {
	disk := vfs.NewMem()
	db := create(t, Factory{}, disk)
	ends := []int{len(contents(t, disk))}
	for i := range uint64(5) {
		save(t, db, 2*i+1, "first", "second")
		ends = append(ends, len(contents(t, disk)))
	}
	require.NoError(t, db.Close())
	whole := contents(t, disk)
	for cut := range len(whole) + 1 {
		torn := vfs.NewMem()
		require.NoError(t, torn.MkdirAll(dir, 0o755))
		file, err := torn.Create(dir + "/" + journalName)
		require.NoError(t, err)
		_, err = file.Write(append(whole[:cut:cut], "\x01\x00\x00\x00rest"...)) // of a page that was used before
		require.NoError(t, err)
		require.NoError(t, file.Close())
		db := create(t, Factory{}, torn)
		saved := 0
		for saved+1 < len(ends) && ends[saved+1] <= cut {
			saved++
		}
		state, err := db.ReadRaftState(1, 1, 0)
		if saved == 0 {
			require.ErrorIs(t, err, raftio.ErrNoSavedLog)
		} else {
			require.NoError(t, err)
		}
		require.EqualValues(t, 2*saved, state.EntryCount, "cut at %d of %d", cut, len(whole))
		save(t, db, uint64(2*saved+1), "more") // behind the last whole record
		require.NoError(t, db.Close())
		db = create(t, Factory{}, torn)
		state, err = db.ReadRaftState(1, 1, 0)
		require.NoError(t, err)
		require.EqualValues(t, 2*saved+1, state.EntryCount)
		require.NoError(t, db.Close())
	}
}

// A journal does not grow for ever, and a replaced one has all that is left.
func TestJournalIsReplaced(t *testing.T) {
	disk := vfs.NewMem()
	db := create(t, Factory{}, disk)
	command := string(make([]byte, 10<<10))
	longest := 0
	for i := range uint64(1000) {
		save(t, db, i+1, command)
		if i > 10 {
			require.NoError(t, db.RemoveEntriesTo(1, 1, i-10))
		}
		longest = max(longest, len(contents(t, disk)))
	}
	require.NoError(t, db.Close())
	require.Less(t, longest, leastGrowth+2*len(command)*20)
	db = create(t, Factory{}, disk)
	state, err := db.ReadRaftState(1, 1, 0)
	require.NoError(t, err)
	require.EqualValues(t, 1000, state.FirstIndex+state.EntryCount-1)
	require.NoError(t, db.Close())
}

func TestImportedSnapshotNeedsAType(t *testing.T) {
	db := create(t, Factory{}, vfs.NewMem())
	require.ErrorContains(t, db.ImportSnapshot(pb.Snapshot{ClusterId: 3, Index: 5}, 1), "cluster 3")
	require.NoError(t, db.Close())
}

// No journal makes opening it panic, and what it has is what is written again.
func FuzzJournal(f *testing.F) {
	disk := vfs.NewMem()
	db := create(f, Factory{}, disk)
	require.NoError(f, db.SaveBootstrapInfo(1, 2, pb.Bootstrap{Addresses: map[uint64]string{2: "b"}}))
	require.NoError(f, db.SaveRaftState([]pb.Update{{ClusterID: 1, NodeID: 2, State: pb.State{Term: 3}, EntriesToSave: []pb.Entry{{Index: 1, Cmd: []byte("x")}}}}, 1))
	require.NoError(f, db.SaveSnapshots([]pb.Update{{ClusterID: 1, NodeID: 2, Snapshot: pb.Snapshot{Index: 1}}}))
	require.NoError(f, db.Close())
	for _, changes := range records(contents(f, disk)) {
		var record []byte
		for i := range changes {
			var err error
			record, err = changes[i].encode(record)
			require.NoError(f, err)
		}
		f.Add(record)
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		changes, err := decode(record)
		if err != nil {
			return
		}
		l := &LogDB{replicas: map[raftio.NodeInfo]*replica{}}
		l.apply(changes)
		again := &LogDB{replicas: map[raftio.NodeInfo]*replica{}}
		for _, changes := range l.records() {
			again.apply(changes)
		}
		require.Equal(t, len(l.records()), len(again.records()))
	})
}
