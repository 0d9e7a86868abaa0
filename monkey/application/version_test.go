// SPDX-License-Identifier: Apache-2.0

package application

import (
	"bytes"
	"io"
	"testing"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
)

// build is a state machine that answers with its version.
type build struct{ version uint64 }

func newBuild(version uint64) sm.CreateStateMachineFunc {
	return func(_, _ uint64) sm.IStateMachine { return &build{version} }
}

func (b *build) Update([]byte) (sm.Result, error) { return sm.Result{Value: b.version}, nil }
func (b *build) Lookup(any) (any, error)          { return b.version, nil }
func (b *build) Close() error                     { return nil }
func (b *build) SaveSnapshot(w io.Writer, _ sm.ISnapshotFileCollection, _ <-chan struct{}) error {
	_, err := w.Write([]byte{byte(b.version)})
	return err
}
func (b *build) RecoverFromSnapshot(r io.Reader, _ []sm.SnapshotFile, _ <-chan struct{}) error {
	_, err := io.ReadAll(r)
	return err
}

// A host gets the machine of its version, and snapshots that cross are counted.
func TestAHostRunsTheMachineOfItsVersion(t *testing.T) {
	upgraded := Machine{Regular: newBuild(2)}
	app := &Application{Machines: []Machine{{Name: "new", Regular: newBuild(1), Upgraded: &upgraded}, {Name: "old", Regular: newBuild(1)}}}
	require.NoError(t, app.Validate())
	require.True(t, app.HasVersions())
	replicas := NewReplicas(app, NewQueries())
	start := func(name string, version int, node uint64) sm.IStateMachine {
		return replicas.Registry(sim.Environment{Version: version}, statemachine.NewClock(statemachine.Times{}))[name].Regular(1, node)
	}
	first, second := start("new", 1, 1), start("new", 2, 2)
	for version, m := range map[uint64]sm.IStateMachine{1: first, 2: second} {
		result, err := m.Update([]byte("x"))
		require.NoError(t, err)
		require.Equal(t, version, result.Value)
	}
	require.Len(t, replicas.Comparison().TakeDivergences(), 1, "versions that answer differently are told")
	old := start("old", 2, 3)
	result, err := old.Update(nil)
	require.NoError(t, err)
	require.EqualValues(t, 1, result.Value, "it has one version only")

	for _, pair := range [][2]sm.IStateMachine{{first, second}, {second, first}, {second, second}, {first, second}} {
		var snapshot bytes.Buffer
		require.NoError(t, pair[0].SaveSnapshot(&snapshot, nil, nil))
		require.NoError(t, pair[1].RecoverFromSnapshot(&snapshot, nil, nil))
	}
	require.Equal(t, []int64{2, 1}, []int64{replicas.Crossings().Older(), replicas.Crossings().Newer()})
}

func TestAMachineIsUpgradedToOneOfItsKind(t *testing.T) {
	other := Machine{Concurrent: func(_, _ uint64) sm.IConcurrentStateMachine { return nil }}
	app := &Application{Machines: []Machine{{Name: "m", Regular: newBuild(1), Upgraded: &other}}}
	require.ErrorContains(t, app.Validate(), `"m" is of the kind regular, and "concurrent" when it is upgraded`)
	app.Machines[0].Upgraded = nil
	require.NoError(t, app.Validate())
	require.False(t, app.HasVersions())
}
