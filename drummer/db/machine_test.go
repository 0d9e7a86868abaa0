// SPDX-License-Identifier: Apache-2.0

package db

import (
	"bytes"
	"testing"

	"github.com/lni/dragonboat/v3/statemachine"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

func encode(t testing.TB, cmd *pb.Command) []byte {
	data, err := proto.Marshal(cmd)
	require.NoError(t, err)
	return data
}

func update(t testing.TB, m statemachine.IConcurrentStateMachine, index uint64, cmd *pb.Command) *pb.CommandResult {
	entries, err := m.Update([]statemachine.Entry{{Index: index, Cmd: encode(t, cmd)}})
	require.NoError(t, err)
	result := &pb.CommandResult{}
	require.NoError(t, proto.Unmarshal(entries[0].Result.Data, result))
	require.Equal(t, uint64(result.Code), entries[0].Result.Value)
	return result
}

func setDeployment(id uint64) *pb.Command {
	return &pb.Command{Body: &pb.Command_SetDeployment{SetDeployment: &pb.SetDeployment{DeploymentId: id}}}
}

func TestTheFirstDeploymentIDWins(t *testing.T) {
	m := NewStateMachine(1, 1)
	require.Equal(t, uint64(7), update(t, m, 1, setDeployment(7)).DeploymentId)
	second := update(t, m, 2, setDeployment(8))
	require.Equal(t, pb.CommandCode_CONFLICT, second.Code)
	require.Equal(t, uint64(7), second.DeploymentId)
	require.Equal(t, pb.CommandCode_APPLIED, update(t, m, 3, setDeployment(7)).Code)
	require.Equal(t, pb.CommandCode_INVALID, update(t, m, 4, setDeployment(0)).Code)
}

func TestASnapshotIsOfTheMomentItWasPrepared(t *testing.T) {
	m := NewStateMachine(1, 1)
	update(t, m, 1, setDeployment(7))
	ctx, err := m.PrepareSnapshot()
	require.NoError(t, err)
	before, err := m.Lookup(GetDigest{})
	require.NoError(t, err)
	update(t, m, 2, &pb.Command{Body: &pb.Command_SetLaunched{SetLaunched: &pb.SetLaunched{}}})

	var saved bytes.Buffer
	require.NoError(t, m.SaveSnapshot(ctx, &saved, nil, nil))
	restored := NewStateMachine(1, 2)
	require.NoError(t, restored.RecoverFromSnapshot(&saved, nil, nil))
	after, err := restored.Lookup(GetDigest{})
	require.NoError(t, err)
	require.Equal(t, before, after)
	state, err := restored.Lookup(GetState{})
	require.NoError(t, err)
	require.False(t, state.(*State).Launched)
}

func TestSavingAndRecoveringStopWhenAsked(t *testing.T) {
	m := NewStateMachine(1, 1)
	ctx, err := m.PrepareSnapshot()
	require.NoError(t, err)
	done := make(chan struct{})
	close(done)
	require.ErrorIs(t, m.SaveSnapshot(ctx, &bytes.Buffer{}, nil, done), statemachine.ErrSnapshotStopped)
	require.ErrorIs(t, m.RecoverFromSnapshot(&bytes.Buffer{}, nil, done), statemachine.ErrSnapshotStopped)
}

func TestAnUnknownQueryIsRefused(t *testing.T) {
	_, err := NewStateMachine(1, 1).Lookup("state")
	require.ErrorContains(t, err, "no query of type string")
}

func TestAPastStateCanBeLookedUp(t *testing.T) {
	m := NewStateMachine(1, 1)
	update(t, m, 1, setDeployment(7))
	update(t, m, 2, &pb.Command{Body: &pb.Command_SetLaunched{SetLaunched: &pb.SetLaunched{}}})
	before, err := m.Lookup(GetStateAt{Index: 1})
	require.NoError(t, err)
	require.False(t, before.(*State).Launched)
	unknown, err := m.Lookup(GetStateAt{Index: 99})
	require.NoError(t, err)
	require.Nil(t, unknown)
}

// While much changes, fewer states are kept.
func TestThePastIsBounded(t *testing.T) {
	p := &past{}
	for index := range uint64(MaxPast + 10) {
		p.add(&State{Index: index}, 1)
	}
	require.Nil(t, p.at(9))
	require.NotNil(t, p.at(10))
	for index := range uint64(3) {
		p.add(&State{Index: 10_000 + index}, maxPastClusters/2)
	}
	require.Nil(t, p.at(10_000))
	require.NotNil(t, p.at(10_001))
	p.add(&State{Index: 20_000}, 2*maxPastClusters)
	require.Nil(t, p.at(10_002))
	require.NotNil(t, p.at(20_000), "the newest, whatever it costs")
}
