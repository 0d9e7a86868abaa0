// SPDX-License-Identifier: Apache-2.0

package application

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"sync"

	sm "github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/contract"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// replica is what the wrappers of all kinds have in common.
type replica struct {
	of   *Replicas
	id   replicaID
	user any // what the user's factory returned
	// version is that of the host's build.
	version int
	calls   *contract.Calls
	clock   *statemachine.Clock

	// mu keeps updates away while the machine is looked at. It is not held during
	// Lookup and snapshots, whose races are the user's.
	mu sync.Mutex
	// applied is the index of the last entry that the machine has; of a regular
	// machine, which is told none, the number of its updates.
	applied uint64
}

// guard has a panic of the user's machine name the node: that is nowhere on the
// stack.
func (x *replica) guard(doing string) {
	if p := recover(); p != nil {
		panic(fmt.Errorf("cluster %d, node %d, in %s: %v", x.id.cluster, x.id.node, doing, p))
	}
}

// compare compares the result of an entry with the other replicas'.
func (x *replica) compare(index uint64, command []byte, result sm.Result) {
	sum := fnv.New64a()
	_, _ = sum.Write(binary.BigEndian.AppendUint64(nil, result.Value))
	_, _ = sum.Write(result.Data)
	of := fnv.New64a()
	_, _ = of.Write(command)
	x.of.comparison.Add(x.id.cluster, statemachine.Sample{Node: x.id.node, Digest: kv.Digest{
		Applied: index, Updates: index, Contents: sum.Sum64(), Chain: of.Sum64(),
	}}, func() string {
		return fmt.Sprintf("%s, answered here with Value %d, Data %s", shorten(command), result.Value, shorten(result.Data))
	})
}

// shorten writes bytes for people.
func shorten(b []byte) string {
	const most = 120
	if len(b) > most {
		return fmt.Sprintf("%q…", b[:most])
	}
	return fmt.Sprintf("%q", b)
}

// lookup answers a query of Queries by asking the machine.
func (x *replica) lookup(query any, ask func(any) (any, error)) (any, error) {
	defer x.guard("Lookup")
	data, ok := query.([]byte)
	if !ok {
		return ask(query)
	}
	return x.of.queries.answer(data, ask)
}

// Snapshots begin with the number of applied entries, and the version that wrote them.
const headerSize = 9

func (x *replica) writeHeader(w io.Writer, applied uint64) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint64(nil, applied), byte(x.version)))
	return err
}

// recover reads a snapshot's header, and has the machine recover from the rest.
func (x *replica) recover(r io.Reader, rest func(io.Reader) error) error {
	defer x.guard("RecoverFromSnapshot")
	defer x.calls.Recover()()
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	err := rest(r)
	if err == nil {
		x.applied = binary.BigEndian.Uint64(header[:])
		x.of.crossings.Add(int(header[headerSize-1]), x.version)
	}
	return err
}

// applyAll has the machine apply a batch, and compares its results.
func (x *replica) applyAll(entries []sm.Entry, update func([]sm.Entry) ([]sm.Entry, error)) ([]sm.Entry, error) {
	defer x.guard("Update")
	if len(entries) > 0 {
		defer x.calls.Update(entries[0].Index, entries[len(entries)-1].Index)()
	}
	for range entries {
		x.clock.Apply()
	}
	commands := make([][]byte, len(entries))
	for i, e := range entries {
		commands[i] = e.Cmd
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	done, err := update(entries)
	if err != nil || len(done) != len(commands) {
		return done, err
	}
	for i, e := range done {
		x.applied = e.Index
		x.compare(e.Index, commands[i], e.Result)
	}
	return done, nil
}

func (x *replica) close(machine func() error) error {
	defer x.guard("Close")
	x.calls.Close()
	return machine()
}

// regular wraps a regular state machine.
type regular struct {
	*replica
	machine sm.IStateMachine
}

// Update implements sm.IStateMachine.
func (m *regular) Update(command []byte) (sm.Result, error) {
	defer m.guard("Update")
	defer m.calls.Update(0, 0)()
	m.clock.Apply()
	m.mu.Lock()
	defer m.mu.Unlock()
	result, err := m.machine.Update(command)
	if err == nil {
		m.applied++
		m.compare(m.applied, command, result)
	}
	return result, err
}

// Lookup implements sm.IStateMachine.
func (m *regular) Lookup(query any) (any, error) { return m.lookup(query, m.machine.Lookup) }

// SaveSnapshot implements sm.IStateMachine.
func (m *regular) SaveSnapshot(w io.Writer, files sm.ISnapshotFileCollection, stop <-chan struct{}) error {
	defer m.guard("SaveSnapshot")
	defer m.calls.Save()()
	m.clock.Snapshot()
	if err := m.writeHeader(w, m.applied); err != nil {
		return err
	}
	return m.machine.SaveSnapshot(w, files, stop)
}

// RecoverFromSnapshot implements sm.IStateMachine.
func (m *regular) RecoverFromSnapshot(r io.Reader, files []sm.SnapshotFile, stop <-chan struct{}) error {
	return m.recover(r, func(r io.Reader) error { return m.machine.RecoverFromSnapshot(r, files, stop) })
}

// Close implements sm.IStateMachine.
func (m *regular) Close() error { return m.close(m.machine.Close) }

// prepared is what PrepareSnapshot returns: the machine's own, and how many
// entries it is of.
type prepared struct {
	user    any
	applied uint64
}

// prepare has the machine prepare a snapshot. No update goes on meanwhile.
func (x *replica) prepare(machine func() (any, error)) (any, error) {
	defer x.guard("PrepareSnapshot")
	defer x.calls.Prepare()()
	user, err := machine()
	return prepared{user, x.applied}, err
}

// concurrent wraps a concurrent state machine.
type concurrent struct {
	*replica
	machine sm.IConcurrentStateMachine
}

// Update implements sm.IConcurrentStateMachine.
func (m *concurrent) Update(entries []sm.Entry) ([]sm.Entry, error) {
	return m.applyAll(entries, m.machine.Update)
}

// Lookup implements sm.IConcurrentStateMachine.
func (m *concurrent) Lookup(query any) (any, error) { return m.lookup(query, m.machine.Lookup) }

// PrepareSnapshot implements sm.IConcurrentStateMachine.
func (m *concurrent) PrepareSnapshot() (any, error) { return m.prepare(m.machine.PrepareSnapshot) }

// SaveSnapshot implements sm.IConcurrentStateMachine.
func (m *concurrent) SaveSnapshot(p any, w io.Writer, files sm.ISnapshotFileCollection, stop <-chan struct{}) error {
	defer m.guard("SaveSnapshot")
	defer m.calls.Save()()
	m.clock.Snapshot()
	if err := m.writeHeader(w, p.(prepared).applied); err != nil {
		return err
	}
	return m.machine.SaveSnapshot(p.(prepared).user, w, files, stop)
}

// RecoverFromSnapshot implements sm.IConcurrentStateMachine.
func (m *concurrent) RecoverFromSnapshot(r io.Reader, files []sm.SnapshotFile, stop <-chan struct{}) error {
	return m.recover(r, func(r io.Reader) error { return m.machine.RecoverFromSnapshot(r, files, stop) })
}

// Close implements sm.IConcurrentStateMachine.
func (m *concurrent) Close() error { return m.close(m.machine.Close) }

// onDisk wraps an on-disk state machine.
type onDisk struct {
	*replica
	machine sm.IOnDiskStateMachine
	makeDir func() error
}

// Open implements sm.IOnDiskStateMachine.
func (m *onDisk) Open(stop <-chan struct{}) (applied uint64, err error) {
	defer m.guard("Open")
	done := m.calls.Open()
	defer func() { done(applied) }()
	if err := m.makeDir(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	applied, err = m.machine.Open(stop)
	m.applied = applied
	return applied, err
}

// Update implements sm.IOnDiskStateMachine.
func (m *onDisk) Update(entries []sm.Entry) ([]sm.Entry, error) {
	return m.applyAll(entries, m.machine.Update)
}

// Lookup implements sm.IOnDiskStateMachine.
func (m *onDisk) Lookup(query any) (any, error) { return m.lookup(query, m.machine.Lookup) }

// Sync implements sm.IOnDiskStateMachine.
func (m *onDisk) Sync() error {
	defer m.calls.Sync()()
	return m.machine.Sync()
}

// PrepareSnapshot implements sm.IOnDiskStateMachine.
func (m *onDisk) PrepareSnapshot() (any, error) { return m.prepare(m.machine.PrepareSnapshot) }

// SaveSnapshot implements sm.IOnDiskStateMachine.
func (m *onDisk) SaveSnapshot(p any, w io.Writer, stop <-chan struct{}) error {
	defer m.guard("SaveSnapshot")
	defer m.calls.Save()()
	m.clock.Snapshot()
	if err := m.writeHeader(w, p.(prepared).applied); err != nil {
		return err
	}
	return m.machine.SaveSnapshot(p.(prepared).user, w, stop)
}

// RecoverFromSnapshot implements sm.IOnDiskStateMachine.
func (m *onDisk) RecoverFromSnapshot(r io.Reader, stop <-chan struct{}) error {
	return m.recover(r, func(r io.Reader) error { return m.machine.RecoverFromSnapshot(r, stop) })
}

// Close implements sm.IOnDiskStateMachine.
func (m *onDisk) Close() error { return m.close(m.machine.Close) }
