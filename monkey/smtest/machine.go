// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"errors"
	"fmt"
	"io"
	"sync"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"
)

// Machine says of which kind a state machine is and how replicas of it are
// made. Make one with Regular, Concurrent, OnDisk or OnDiskDir.
type Machine struct {
	kind kind
	make func(id replicaID, m mount) machine
	// newDisk makes the disk of one replica, whose files, if it has any, are
	// below a folder that isn't there yet; nil unless the kind is onDisk.
	newDisk func(dir string, tornFiles bool) disk
	slow    bool // replicas wait for a real disk
}

// kind is one of Dragonboat's three kinds of state machine, as a bit.
type kind uint8

const (
	regular kind = 1 << iota
	concurrent
	onDisk
)

func (k kind) String() string {
	switch k {
	case regular:
		return "IStateMachine"
	case concurrent:
		return "IConcurrentStateMachine"
	}
	return "IOnDiskStateMachine"
}

// Regular is a state machine of the kind IStateMachine.
func Regular(create sm.CreateStateMachineFunc) Machine {
	return Machine{kind: regular, make: func(id replicaID, _ mount) machine {
		return &regularMachine{IStateMachine: create(id.cluster, id.node)}
	}}
}

// Concurrent is a state machine of the kind IConcurrentStateMachine.
func Concurrent(create sm.CreateConcurrentStateMachineFunc) Machine {
	return Machine{kind: concurrent, make: func(id replicaID, _ mount) machine {
		return concurrentMachine{create(id.cluster, id.node)}
	}}
}

// OnDisk is a state machine of the kind IOnDiskStateMachine that keeps its
// files in dir of the file system it is given. The file system is a simulated
// one that can be killed or lose power between any two changes, and knows what
// was synced.
func OnDisk(create func(fs vfs.FS, dir string) sm.CreateOnDiskStateMachineFunc) Machine {
	return Machine{
		kind: onDisk,
		make: func(id replicaID, m mount) machine {
			return &onDiskMachine{IOnDiskStateMachine: create(m.fs, m.dir)(id.cluster, id.node)}
		},
		newDisk: func(string, bool) disk { return newSimulatedDisk() },
	}
}

// OnDiskDir is a state machine of the kind IOnDiskStateMachine that keeps its
// files in dir, a temporary folder of the operating system. What it does to
// them can't be watched, so this finds less than OnDisk: a power loss takes the
// whole folder back to what it was at the last Sync, or leaves it as it is, so
// a sync that is missing inside Sync is not found. See Config.TornFiles.
func OnDiskDir(create func(dir string) sm.CreateOnDiskStateMachineFunc) Machine {
	return Machine{
		kind: onDisk,
		make: func(id replicaID, m mount) machine {
			return &onDiskMachine{IOnDiskStateMachine: create(m.dir)(id.cluster, id.node)}
		},
		newDisk: func(dir string, torn bool) disk { return newFolderDisk(dir, torn) },
		slow:    true,
	}
}

// replicaID is what Dragonboat tells a factory.
type replicaID struct{ cluster, node uint64 }

// machine is a state machine of any kind. Its methods are called as Dragonboat
// calls them.
type machine interface {
	// update applies a batch, of one entry only to a regular state machine.
	update([]sm.Entry) ([]sm.Entry, error)
	Lookup(any) (any, error)
	prepare() (any, error)
	save(prepared any, w io.Writer, files sm.ISnapshotFileCollection, stop <-chan struct{}) error
	recover(r io.Reader, files []sm.SnapshotFile, stop <-chan struct{}) error
	Close() error
	// user is the value that the user's factory returned.
	user() any
}

// regularMachine locks a regular state machine as Dragonboat does.
type regularMachine struct {
	sm.IStateMachine
	mu     sync.RWMutex
	closed bool
}

func (m *regularMachine) update(entries []sm.Entry) ([]sm.Entry, error) {
	if len(entries) != 1 {
		panic(fmt.Sprintf("smtest: a batch of %d entries for a regular state machine", len(entries)))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	result, err := m.Update(entries[0].Cmd)
	entries[0].Result = result
	return entries, err
}

var errClosed = errors.New("the replica is closed")

func (m *regularMachine) Lookup(query any) (any, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return nil, errClosed
	}
	return m.IStateMachine.Lookup(query)
}

func (m *regularMachine) prepare() (any, error) { return nil, nil }

func (m *regularMachine) save(_ any, w io.Writer, files sm.ISnapshotFileCollection, stop <-chan struct{}) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.SaveSnapshot(w, files, stop)
}

func (m *regularMachine) recover(r io.Reader, files []sm.SnapshotFile, stop <-chan struct{}) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.RecoverFromSnapshot(r, files, stop)
}

func (m *regularMachine) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return m.IStateMachine.Close()
}

func (m *regularMachine) user() any { return m.IStateMachine }

type concurrentMachine struct{ sm.IConcurrentStateMachine }

func (m concurrentMachine) update(entries []sm.Entry) ([]sm.Entry, error) { return m.Update(entries) }
func (m concurrentMachine) prepare() (any, error)                         { return m.PrepareSnapshot() }
func (m concurrentMachine) save(prepared any, w io.Writer, files sm.ISnapshotFileCollection, stop <-chan struct{}) error {
	return m.SaveSnapshot(prepared, w, files, stop)
}
func (m concurrentMachine) recover(r io.Reader, files []sm.SnapshotFile, stop <-chan struct{}) error {
	return m.RecoverFromSnapshot(r, files, stop)
}
func (m concurrentMachine) user() any { return m.IConcurrentStateMachine }

type onDiskMachine struct{ sm.IOnDiskStateMachine }

func (m *onDiskMachine) update(entries []sm.Entry) ([]sm.Entry, error) { return m.Update(entries) }
func (m *onDiskMachine) prepare() (any, error)                         { return m.PrepareSnapshot() }
func (m *onDiskMachine) save(prepared any, w io.Writer, _ sm.ISnapshotFileCollection, stop <-chan struct{}) error {
	return m.SaveSnapshot(prepared, w, stop)
}
func (m *onDiskMachine) recover(r io.Reader, _ []sm.SnapshotFile, stop <-chan struct{}) error {
	return m.RecoverFromSnapshot(r, stop)
}
func (m *onDiskMachine) user() any { return m.IOnDiskStateMachine }
