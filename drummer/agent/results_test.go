// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"testing"

	"github.com/lni/dragonboat/v3"
	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// A change whose effect no membership shows is done only if Dragonboat says so; and what
// may yet be applied has neither failed nor was it refused.
func TestWhatAChangeWithoutAnEffectEndsWith(t *testing.T) {
	for err, want := range map[error]pb.ResultCode{
		nil:                              pb.ResultCode_DONE,
		dragonboat.ErrRejected:           pb.ResultCode_REFUSED,
		dragonboat.ErrInvalidAddress:     pb.ResultCode_REFUSED,
		dragonboat.ErrClusterNotReady:    pb.ResultCode_FAILED,
		dragonboat.ErrSystemBusy:         pb.ResultCode_FAILED,
		dragonboat.ErrTimeout:            pb.ResultCode_UNKNOWN,
		dragonboat.ErrCanceled:           pb.ResultCode_UNKNOWN,
		dragonboat.ErrClusterClosed:      pb.ResultCode_UNKNOWN,
		errors.New("never heard before"): pb.ResultCode_UNKNOWN,
	} {
		result := changeResult(&pb.Request{Kind: pb.RequestKind_REMOVE_NODE, OperationId: 7, ClusterId: 1, NodeId: 2}, err)
		require.Equal(t, want, result.GetCode(), "%v", err)
		require.EqualValues(t, 7, result.GetOperationId())
	}
}

// A request that is sent again while it waits, or is under way, is the same one.
func TestARequestUnderWayIsNotTakenTwice(t *testing.T) {
	e := newExecutor(t.Context(), nil) // who asks the agent anything has taken it
	req := &pb.Request{Kind: pb.RequestKind_TRANSFER_LEADER, OperationId: 7, ClusterId: 1, NodeId: 2}
	e.pending[operationOf(req)] = true
	require.NotPanics(t, func() { e.submit(req) })
	require.Empty(t, e.queues)
	require.Empty(t, e.takeResults(0))
}
