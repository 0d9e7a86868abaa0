// SPDX-License-Identifier: Apache-2.0

package memlog

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
	pb "github.com/lni/dragonboat/v3/raftpb"
)

// Name is what Dragonboat calls a LogDB of this kind.
const Name = "memory"

// Factory makes LogDBs, for config.ExpertConfig.LogDBFactory.
type Factory struct{}

var _ config.LogDBFactory = Factory{}

// Name implements config.LogDBFactory.
func (Factory) Name() string { return Name }

// Create opens the logs that a journal in the first of the directories has, or
// begins one. It asks for nothing but the file system of the configuration.
func (Factory) Create(nodehost config.NodeHostConfig, _ config.LogDBCallback, dirs, _ []string) (raftio.ILogDB, error) {
	l := &LogDB{replicas: map[raftio.NodeInfo]*replica{}, journal: journal{fs: nodehost.Expert.FS, dir: dirs[0]}}
	records, err := readJournal(l.journal.fs, l.journal.dir)
	if err != nil {
		return nil, err
	}
	for _, changes := range records {
		l.apply(changes)
	}
	// What is behind the last whole record is to be gone before more is written.
	return l, l.journal.replace(l.records())
}

// LogDB is a raftio.ILogDB. It is safe for concurrent use.
type LogDB struct {
	mu       sync.Mutex
	journal  journal
	replicas map[raftio.NodeInfo]*replica
}

var _ raftio.ILogDB = (*LogDB)(nil)

// commit makes changes durable, all or none, and then has them.
func (l *LogDB) commit(changes ...change) error {
	if len(changes) == 0 {
		return nil
	}
	if err := l.journal.add(changes); err != nil {
		return err
	}
	l.apply(changes)
	if l.journal.isFull() {
		return l.journal.replace(l.records())
	}
	return nil
}

func (l *LogDB) apply(changes []change) {
	for i := range changes {
		c := &changes[i]
		if c.kind == removed {
			delete(l.replicas, c.of)
			continue
		}
		r := l.replicas[c.of]
		if r == nil {
			r = &replica{}
			l.replicas[c.of] = r
		}
		r.apply(c)
	}
}

// records are those that make all logs from nothing, one a replica.
func (l *LogDB) records() [][]change {
	var out [][]change
	for _, of := range l.sorted() {
		out = append(out, l.replicas[of].changes(of))
	}
	return out
}

func (l *LogDB) sorted() []raftio.NodeInfo {
	return slices.SortedFunc(maps.Keys(l.replicas), func(a, b raftio.NodeInfo) int {
		return cmp.Or(cmp.Compare(a.ClusterID, b.ClusterID), cmp.Compare(a.NodeID, b.NodeID))
	})
}

// Name implements raftio.ILogDB.
func (*LogDB) Name() string { return Name }

// Close implements raftio.ILogDB.
func (l *LogDB) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.journal.file.Close()
}

// BinaryFormat implements raftio.ILogDB.
func (*LogDB) BinaryFormat() uint32 { return raftio.PlainLogDBBinVersion }

// ListNodeInfo implements raftio.ILogDB.
func (l *LogDB) ListNodeInfo() ([]raftio.NodeInfo, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(l.sorted(), func(of raftio.NodeInfo) bool { return l.replicas[of].bootstrap == nil }), nil
}

// SaveBootstrapInfo implements raftio.ILogDB.
func (l *LogDB) SaveBootstrapInfo(clusterID, nodeID uint64, bootstrap pb.Bootstrap) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.commit(change{kind: bootstrapped, of: raftio.GetNodeInfo(clusterID, nodeID), bootstrap: bootstrap})
}

// GetBootstrapInfo implements raftio.ILogDB.
func (l *LogDB) GetBootstrapInfo(clusterID, nodeID uint64) (pb.Bootstrap, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.replicas[raftio.GetNodeInfo(clusterID, nodeID)]
	if r == nil || r.bootstrap == nil {
		return pb.Bootstrap{}, raftio.ErrNoBootstrapInfo
	}
	return *r.bootstrap, nil
}

// SaveRaftState implements raftio.ILogDB: it saves all of the updates, or none.
func (l *LogDB) SaveRaftState(updates []pb.Update, _ uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var changes []change
	for i := range updates {
		u := &updates[i]
		of := raftio.GetNodeInfo(u.ClusterID, u.NodeID)
		if r := l.replicas[of]; !pb.IsEmptyState(u.State) && (r == nil || r.state == nil || *r.state != u.State) {
			changes = append(changes, change{kind: voted, of: of, state: u.State})
		}
		if !pb.IsEmptySnapshot(u.Snapshot) {
			changes = append(changes, change{kind: snapshotted, of: of, snapshot: u.Snapshot}, change{kind: restored, of: of, index: u.Snapshot.Index})
		}
		if len(u.EntriesToSave) > 0 {
			changes = append(changes, change{kind: appended, of: of, entries: u.EntriesToSave})
		}
	}
	return l.commit(changes...)
}

// IterateEntries implements raftio.ILogDB.
func (l *LogDB) IterateEntries(to []pb.Entry, size, clusterID, nodeID, low, high, maxSize uint64) ([]pb.Entry, uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to, size = l.replicas[raftio.GetNodeInfo(clusterID, nodeID)].iterate(to, size, low, high, maxSize)
	return to, size, nil
}

// ReadRaftState implements raftio.ILogDB.
func (l *LogDB) ReadRaftState(clusterID, nodeID, snapshot uint64) (raftio.RaftState, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	state, err := l.replicas[raftio.GetNodeInfo(clusterID, nodeID)].read(snapshot)
	if err != nil && err != raftio.ErrNoSavedLog {
		err = fmt.Errorf("read the log of node %d of cluster %d: %w", nodeID, clusterID, err)
	}
	return state, err
}

// RemoveEntriesTo implements raftio.ILogDB: it removes the entries below an index.
func (l *LogDB) RemoveEntriesTo(clusterID, nodeID, index uint64) error {
	return l.change(clusterID, nodeID, change{kind: trimmed, index: index})
}

// change makes a change of a replica, if there is anything of it.
func (l *LogDB) change(clusterID, nodeID uint64, c change) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.of = raftio.GetNodeInfo(clusterID, nodeID); l.replicas[c.of] == nil {
		return nil
	}
	return l.commit(c)
}

// CompactEntriesTo implements raftio.ILogDB. Nothing is left to be done of it.
func (*LogDB) CompactEntriesTo(uint64, uint64, uint64) (<-chan struct{}, error) {
	done := make(chan struct{})
	close(done)
	return done, nil
}

// SaveSnapshots implements raftio.ILogDB.
func (l *LogDB) SaveSnapshots(updates []pb.Update) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var changes []change
	for i := range updates {
		if s := updates[i].Snapshot; s.Index > 0 {
			changes = append(changes, change{kind: snapshotted, of: raftio.GetNodeInfo(updates[i].ClusterID, updates[i].NodeID), snapshot: s})
		}
	}
	return l.commit(changes...)
}

// DeleteSnapshot implements raftio.ILogDB.
func (l *LogDB) DeleteSnapshot(clusterID, nodeID, index uint64) error {
	return l.change(clusterID, nodeID, change{kind: unsnapshotted, index: index})
}

// ListSnapshots implements raftio.ILogDB: it lists those up to an index.
func (l *LogDB) ListSnapshots(clusterID, nodeID, index uint64) ([]pb.Snapshot, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.replicas[raftio.GetNodeInfo(clusterID, nodeID)]
	if r == nil {
		return nil, nil
	}
	at := len(r.snapshots)
	if index < math.MaxUint64 {
		at, _ = r.snapshot(index + 1)
	}
	return slices.Clone(r.snapshots[:at]), nil
}

// RemoveNodeData implements raftio.ILogDB.
func (l *LogDB) RemoveNodeData(clusterID, nodeID uint64) error {
	return l.change(clusterID, nodeID, change{kind: removed})
}

// ImportSnapshot implements raftio.ILogDB: the log is the snapshot, and nothing
// more. Snapshots below it stay known.
func (l *LogDB) ImportSnapshot(snapshot pb.Snapshot, nodeID uint64) error {
	if snapshot.Type == pb.UnknownStateMachine {
		return fmt.Errorf("the snapshot of cluster %d does not say for which type of state machine it is", snapshot.ClusterId)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	of := raftio.GetNodeInfo(snapshot.ClusterId, nodeID)
	changes := []change{{kind: removed, of: of}}
	if r := l.replicas[of]; r != nil {
		for _, s := range r.snapshots {
			if s.Index < snapshot.Index {
				changes = append(changes, change{kind: snapshotted, of: of, snapshot: s})
			}
		}
	}
	return l.commit(append(changes,
		change{kind: bootstrapped, of: of, bootstrap: pb.Bootstrap{Join: true, Type: snapshot.Type}},
		change{kind: voted, of: of, state: pb.State{Term: snapshot.Term, Commit: snapshot.Index}},
		change{kind: snapshotted, of: of, snapshot: snapshot},
		change{kind: restored, of: of, index: snapshot.Index})...)
}
