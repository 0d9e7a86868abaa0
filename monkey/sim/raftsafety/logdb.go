// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	"errors"
	"math"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
)

// Logs is the factory of a host's LogDB, for config.ExpertConfig.LogDBFactory of a
// NodeHost that diskcheck.Start starts: what is saved in the LogDB that it would have
// had without is watched. Factory makes that one; nil: Dragonboat's own. What the
// process saves after it was killed is on no disk: killed says whether it was.
func (w *Watcher) Logs(host string, named func(id uint64) uint64, killed func() bool, factory config.LogDBFactory) config.LogDBFactory {
	return &diskcheck.Decorated{LogDBFactory: factory, Decorate: func(inner raftio.ILogDB) raftio.ILogDB {
		return &logDB{ILogDB: inner, watcher: w, host: host, named: named, killed: killed}
	}}
}

// logDB watches what is saved.
type logDB struct {
	raftio.ILogDB
	watcher *Watcher
	host    string
	named   func(id uint64) uint64
	killed  func() bool
}

// within calls f with a cluster, unless the process was killed.
func (d *logDB) within(id uint64, f func(c *cluster) error) error {
	if d.killed() {
		return nil
	}
	d.watcher.mu.Lock()
	defer d.watcher.mu.Unlock()
	return f(d.watcher.cluster(d.named(id)))
}

// SaveBootstrapInfo implements raftio.ILogDB.
func (d *logDB) SaveBootstrapInfo(clusterID, nodeID uint64, b pb.Bootstrap) error {
	if err := d.ILogDB.SaveBootstrapInfo(clusterID, nodeID, b); err != nil {
		return err
	}
	return d.within(clusterID, func(c *cluster) error {
		c.start(b.Addresses)
		return nil
	})
}

// SaveRaftState implements raftio.ILogDB.
func (d *logDB) SaveRaftState(updates []pb.Update, shardID uint64) error {
	if err := d.ILogDB.SaveRaftState(updates, shardID); err != nil {
		return err
	}
	for i := range updates {
		u := &updates[i]
		if err := d.within(u.ClusterID, func(c *cluster) error { return d.watcher.saved(c, d.host, u) }); err != nil {
			return err
		}
	}
	return nil
}

// SaveSnapshots implements raftio.ILogDB.
func (d *logDB) SaveSnapshots(updates []pb.Update) error {
	if err := d.ILogDB.SaveSnapshots(updates); err != nil {
		return err
	}
	for i := range updates {
		u := &updates[i]
		_ = d.within(u.ClusterID, func(c *cluster) error {
			if !pb.IsEmptySnapshot(u.Snapshot) {
				d.watcher.snapshot(c, u.NodeID, &u.Snapshot)
				c.log(u.NodeID, d.host).recover(u.Snapshot)
			}
			return nil
		})
	}
	return nil
}

// ReadRaftState implements raftio.ILogDB. A node that starts calls it.
func (d *logDB) ReadRaftState(clusterID, nodeID, lastIndex uint64) (raftio.RaftState, error) {
	s, err := d.ILogDB.ReadRaftState(clusterID, nodeID, lastIndex)
	if err != nil && !errors.Is(err, raftio.ErrNoSavedLog) {
		return s, err
	}
	f, failed := d.readBack(clusterID, nodeID, &s)
	if failed == nil {
		failed = d.within(clusterID, func(c *cluster) error { return d.watcher.loaded(c, nodeID, f) })
	}
	if failed != nil {
		return s, failed
	}
	return s, err
}

// readBack reads all that a LogDB has of a node.
func (d *logDB) readBack(clusterID, nodeID uint64, s *raftio.RaftState) (*found, error) {
	f := &found{state: s.State}
	snapshots, err := d.ListSnapshots(clusterID, nodeID, math.MaxUint64)
	if err != nil {
		return nil, err
	}
	if len(snapshots) > 0 {
		f.snapshot = snapshots[len(snapshots)-1]
	}
	if next, end := f.snapshot.Index+1, s.FirstIndex+s.EntryCount; next < end {
		f.entries, _, err = d.IterateEntries(nil, 0, clusterID, nodeID, next, end, math.MaxUint64)
		if len(f.entries) > 0 && f.entries[0].Index != next { // behind a gap they are of no use
			f.entries = nil
		}
	}
	return f, err
}

// RemoveEntriesTo implements raftio.ILogDB.
func (d *logDB) RemoveEntriesTo(clusterID, nodeID, index uint64) error {
	_ = d.within(clusterID, func(c *cluster) error {
		d.watcher.compacted(c, nodeID, index)
		return nil
	})
	return d.ILogDB.RemoveEntriesTo(clusterID, nodeID, index)
}

// RemoveNodeData implements raftio.ILogDB.
func (d *logDB) RemoveNodeData(clusterID, nodeID uint64) error {
	if err := d.ILogDB.RemoveNodeData(clusterID, nodeID); err != nil {
		return err
	}
	return d.within(clusterID, func(c *cluster) error {
		c.log(nodeID, d.host).gone = true
		return nil
	})
}

// ImportSnapshot implements raftio.ILogDB. The cluster begins anew with what is
// imported, and what was known of its logs counts no more.
func (d *logDB) ImportSnapshot(snapshot pb.Snapshot, nodeID uint64) error {
	if err := d.ILogDB.ImportSnapshot(snapshot, nodeID); err != nil {
		return err
	}
	if d.killed() {
		return nil
	}
	d.watcher.mu.Lock()
	defer d.watcher.mu.Unlock()
	delete(d.watcher.clusters, d.named(snapshot.ClusterId))
	return nil
}
