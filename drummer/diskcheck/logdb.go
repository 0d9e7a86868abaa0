// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"errors"
	_ "unsafe" // for go:linkname

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
	"github.com/lni/dragonboat/v3/raftpb"
	"github.com/lni/goutils/vfs"
)

// newDefaultLogDB makes the LogDB that Dragonboat makes when a configuration has no
// factory. No package of Dragonboat v3 exports it.
//
//go:linkname newDefaultLogDB github.com/lni/dragonboat/v3/internal/logdb.NewDefaultLogDB
func newDefaultLogDB(config.NodeHostConfig, config.LogDBCallback, []string, []string, vfs.FS) (raftio.ILogDB, error)

// logDBName is what Dragonboat calls its own: a directory that was made without a
// Checker can be used with one, and the other way round.
const logDBName = "sharded-pebble"

// logDB is Dragonboat's LogDB, with the watermarks of its replicas kept beside it.
type logDB struct {
	raftio.ILogDB
	marks *marks
}

// SaveRaftState raises the watermarks of what it has made durable. Where a log is
// about to become shorter, since another leader's entries replace its last ones,
// its watermark is lowered before.
func (l *logDB) SaveRaftState(updates []raftpb.Update, shardID uint64) error {
	for i := range updates {
		r := replica{updates[i].ClusterID, updates[i].NodeID}
		old, known := l.marks.get(r)
		if next := after(old, &updates[i]); known && next.last < old.last || known && keeps(&updates[i]) < old.last {
			old.last = min(next.last, keeps(&updates[i]))
			if err := l.marks.lower(r, old); err != nil {
				return err
			}
		}
	}
	if err := l.ILogDB.SaveRaftState(updates, shardID); err != nil {
		return err
	}
	for i := range updates {
		r := replica{updates[i].ClusterID, updates[i].NodeID}
		old, _ := l.marks.get(r)
		if err := l.marks.set(r, after(old, &updates[i])); err != nil {
			return err
		}
	}
	return nil
}

// after returns what a log has once an update is saved.
func after(m mark, update *raftpb.Update) mark {
	if !raftpb.IsEmptyState(update.State) {
		m.term, m.vote, m.commit = update.State.Term, update.State.Vote, update.State.Commit
	}
	if !raftpb.IsEmptySnapshot(update.Snapshot) {
		m.last = update.Snapshot.Index
	}
	if n := len(update.EntriesToSave); n > 0 {
		m.last = update.EntriesToSave[n-1].Index
	}
	return m
}

// keeps returns the last index of a log that an update leaves as it is.
func keeps(update *raftpb.Update) uint64 {
	if len(update.EntriesToSave) == 0 {
		return ^uint64(0)
	}
	return update.EntriesToSave[0].Index - 1
}

// RemoveNodeData removes the watermark before the data.
func (l *logDB) RemoveNodeData(clusterID, nodeID uint64) error {
	if err := l.marks.drop(replica{clusterID, nodeID}); err != nil {
		return err
	}
	return l.ILogDB.RemoveNodeData(clusterID, nodeID)
}

// ImportSnapshot replaces a replica's log by a snapshot, and its watermark.
func (l *logDB) ImportSnapshot(snapshot raftpb.Snapshot, nodeID uint64) error {
	r := replica{snapshot.ClusterId, nodeID}
	if err := l.marks.drop(r); err != nil {
		return err
	}
	if err := l.ILogDB.ImportSnapshot(snapshot, nodeID); err != nil {
		return err
	}
	return l.marks.set(r, mark{term: snapshot.Term, commit: snapshot.Index, last: snapshot.Index})
}

// Close closes the log first: nothing raises a watermark any more.
func (l *logDB) Close() error {
	return errors.Join(l.ILogDB.Close(), l.marks.close())
}
