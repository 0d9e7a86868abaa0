// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"errors"
	"fmt"
	"io"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/contract"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/journal"
)

// onDisk is the kind that keeps its state on disk itself. All of it is in
// memory, too: the disk holds a snapshot and the updates since then, in a
// journal of its own.
//
// Invariant: the journal has every update that was answered, unless it is lazy, and
// on disk, as Dragonboat asks, every update before the last Sync.
type onDisk struct {
	guarded
	fs   vfs.FS
	dir  string
	lazy bool
	// unsaved says that the state is that of a snapshot, and the journal has it not.
	unsaved bool
	journal *journal.Journal
}

// DiskOption changes how on-disk state machines use their disk.
type DiskOption func(*onDisk)

// Lazy has updates, and the state of a snapshot that is taken over, wait in memory for
// the next Sync, which Dragonboat calls rarely, and before it relies on it. Open then
// returns an index far behind the log also where only the process ended, and all that
// follows is applied again.
func Lazy(o *onDisk) { o.lazy = true }

// OnDisk returns a factory of on-disk state machines, each of which keeps its
// files in a folder of its own in dir on fs.
func OnDisk(fs vfs.FS, dir string, newCore NewCore, options ...DiskOption) sm.CreateOnDiskStateMachineFunc {
	return func(clusterID, nodeID uint64) sm.IOnDiskStateMachine {
		o := &onDisk{
			guarded: newCore.guard(contract.OnDisk, clusterID, nodeID),
			fs:      fs,
			dir:     nodeDir(fs, dir, clusterID, nodeID),
		}
		for _, option := range options {
			option(o)
		}
		return o
	}
}

// nodeDir is the folder of one Raft node.
func nodeDir(fs vfs.FS, dir string, clusterID, nodeID uint64) string {
	return fs.PathJoin(dir, fmt.Sprintf("cluster-%d-node-%d", clusterID, nodeID))
}

// NodeOf returns the Raft node that a folder of nodeDir's is of, by its name.
func NodeOf(name string) (cluster, node uint64, ok bool) {
	_, err := fmt.Sscanf(name, "cluster-%d-node-%d", &cluster, &node)
	return cluster, node, err == nil && name == fmt.Sprintf("cluster-%d-node-%d", cluster, node)
}

// removeOnDisk removes what the on-disk state machine of a node that will
// never come back left in dir; nothing, if there never was one.
func removeOnDisk(fs vfs.FS, dir string, clusterID, nodeID uint64) error {
	return journal.Remove(fs, nodeDir(fs, dir, clusterID, nodeID))
}

// Open implements sm.IOnDiskStateMachine. The index it returns is of an update
// that no loss of power can take away any more.
func (o *onDisk) Open(stop <-chan struct{}) (applied uint64, err error) {
	done := o.calls.Open()
	defer func() { done(applied) }()
	recovery := journal.Recovery{
		Load: func(in io.Reader) error {
			image, err := load(in, stop)
			if err == nil {
				o.restore(image)
			}
			return err
		},
		Replay: func(index uint64, command []byte) { o.apply(index, command) },
		Save:   o.saveNow,
	}
	opened, err := journal.Open(o.fs, o.dir, recovery)
	if errors.Is(err, sm.ErrSnapshotStopped) {
		return 0, sm.ErrOpenStopped
	}
	if err != nil {
		return 0, err
	}
	o.journal = opened
	return o.digest().Applied, nil
}

// saveNow writes the state as it is.
func (o *onDisk) saveNow(w io.Writer) error {
	_, err := o.image().WriteTo(w)
	return err
}

// Update implements sm.IOnDiskStateMachine. It fails when the disk does.
func (o *onDisk) Update(entries []sm.Entry) ([]sm.Entry, error) {
	for _, entry := range entries {
		o.journal.Add(entry.Index, entry.Cmd)
	}
	if !o.lazy {
		if err := o.journal.Write(); err != nil {
			return nil, err
		}
	}
	o.applyAll(entries)
	return entries, nil
}

// Sync implements sm.IOnDiskStateMachine. Now and then it also begins the
// journal anew.
func (o *onDisk) Sync() error {
	defer o.calls.Sync()()
	if o.unsaved || o.journal.IsLong() {
		o.unsaved = false
		return o.journal.Restart(o.saveNow)
	}
	if err := o.journal.Write(); err != nil {
		return err
	}
	return o.journal.Sync()
}

// PrepareSnapshot implements sm.IOnDiskStateMachine.
func (o *onDisk) PrepareSnapshot() (any, error) { return o.prepare(), nil }

// SaveSnapshot implements sm.IOnDiskStateMachine.
func (o *onDisk) SaveSnapshot(prepared any, w io.Writer, stop <-chan struct{}) error {
	return o.savePrepared(prepared, w, stop)
}

// RecoverFromSnapshot implements sm.IOnDiskStateMachine. The state it takes
// over is on disk when it returns, unless it is lazy: Dragonboat demands it of Sync
// only.
func (o *onDisk) RecoverFromSnapshot(in io.Reader, stop <-chan struct{}) error {
	defer o.calls.Recover()()
	image, err := load(in, stop)
	if err != nil {
		return err
	}
	o.restore(image)
	if o.lazy {
		o.unsaved = true
		return nil
	}
	return o.journal.Restart(o.saveNow)
}

// Close implements sm.IOnDiskStateMachine.
func (o *onDisk) Close() error {
	o.calls.Close()
	if o.journal == nil {
		return nil
	}
	return o.journal.Close()
}

var _ interface {
	sm.IOnDiskStateMachine
	sm.IExtended
	sm.IHash
} = (*onDisk)(nil)
