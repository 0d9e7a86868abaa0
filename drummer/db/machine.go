// SPDX-License-Identifier: Apache-2.0

package db

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/lni/dragonboat/v3/statemachine"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// machine is DrummerDB as Dragonboat runs it: a concurrent state machine,
// because an immutable State may be read and saved while Update makes the
// next one. Results of Update have the CommandCode as Value and an encoded
// pb.CommandResult as Data.
type machine struct {
	// state is replaced by Update and RecoverFromSnapshot, which Dragonboat
	// calls one at a time; anybody may load it.
	state *atomic.Pointer[State]
	past  past
}

var _ statemachine.IConcurrentStateMachine = (*machine)(nil)

// NewStateMachine is a factory for NodeHost.StartConcurrentCluster.
func NewStateMachine(clusterID, nodeID uint64) statemachine.IConcurrentStateMachine {
	return NewStateMachineAt(new(atomic.Pointer[State]))(clusterID, nodeID)
}

// NewStateMachineAt returns such a factory for one state machine, whose newest state
// anybody may load from where it is kept.
func NewStateMachineAt(state *atomic.Pointer[State]) statemachine.CreateConcurrentStateMachineFunc {
	return func(uint64, uint64) statemachine.IConcurrentStateMachine {
		state.Store(NewState())
		return &machine{state: state}
	}
}

// Update applies commands. It never fails: a command that can't be applied
// has a result that says so.
func (m *machine) Update(entries []statemachine.Entry) ([]statemachine.Entry, error) {
	state, changed := m.state.Load(), 0
	for i := range entries {
		next, result := Apply(state, entries[i].Index, entries[i].Cmd)
		state = next
		changed += state.changed
		entries[i].Result = encodeResult(result)
	}
	m.state.Store(state)
	m.past.add(state, changed)
	return entries, nil
}

func encodeResult(r *pb.CommandResult) statemachine.Result {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
	if err != nil { // only a string that is not UTF-8 can do this
		data = nil
	}
	return statemachine.Result{Value: uint64(r.Code), Data: data}
}

// GetState is a query for Lookup whose answer is the *State as of now.
type GetState struct{}

// GetStateAt is a query for Lookup whose answer is the *State as of an index
// that a decision names, so that the decision can be made again; nil when it
// is too long ago, or this server has not been up for so long.
type GetStateAt struct{ Index uint64 }

// GetDigest is a query for Lookup whose answer is a Digest.
type GetDigest struct{}

// Lookup answers GetState, GetStateAt and GetDigest.
func (m *machine) Lookup(query any) (any, error) {
	state := m.state.Load()
	switch q := query.(type) {
	case GetState:
		return state, nil
	case GetStateAt:
		return m.past.at(q.Index), nil
	case GetDigest:
		return DigestOf(state), nil
	default:
		return nil, fmt.Errorf("DrummerDB has no query of type %T, only GetState, GetStateAt and GetDigest", query)
	}
}

// PrepareSnapshot returns the state to save.
func (m *machine) PrepareSnapshot() (any, error) {
	return m.state.Load(), nil
}

// SaveSnapshot streams what PrepareSnapshot returned.
func (m *machine) SaveSnapshot(ctx any, w io.Writer,
	_ statemachine.ISnapshotFileCollection, done <-chan struct{}) error {
	state, ok := ctx.(*State)
	if !ok {
		return fmt.Errorf("DrummerDB was asked to save a %T, which PrepareSnapshot never returns", ctx)
	}
	return stopped(WriteSnapshot(state, &stoppable{w: w, done: done}))
}

// RecoverFromSnapshot replaces the state by a saved one.
func (m *machine) RecoverFromSnapshot(r io.Reader,
	_ []statemachine.SnapshotFile, done <-chan struct{}) error {
	state, err := ReadSnapshot(&stoppable{r: r, done: done})
	if err != nil {
		return stopped(err)
	}
	m.state.Store(state)
	m.past.add(state, state.Clusters.Len())
	return nil
}

// Close has nothing to release.
func (m *machine) Close() error { return nil }

// stopped makes Dragonboat's own error of one that was caused by its stop.
func stopped(err error) error {
	if errors.Is(err, errStopped) {
		return statemachine.ErrSnapshotStopped
	}
	return err
}

var errStopped = errors.New("the NodeHost of DrummerDB is closing")

// stoppable fails reads and writes once done is closed.
type stoppable struct {
	w    io.Writer
	r    io.Reader
	done <-chan struct{}
}

func (s *stoppable) Write(p []byte) (int, error) {
	select {
	case <-s.done:
		return 0, errStopped
	default:
		return s.w.Write(p)
	}
}

func (s *stoppable) Read(p []byte) (int, error) {
	select {
	case <-s.done:
		return 0, errStopped
	default:
		return s.r.Read(p)
	}
}
