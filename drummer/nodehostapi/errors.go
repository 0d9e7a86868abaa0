// SPDX-License-Identifier: Apache-2.0

package nodehostapi

import (
	"context"
	"errors"

	"github.com/lni/dragonboat/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// What an error says about a proposal, by the moment it was found. Read from
// Dragonboat v3.3.8; the line of reasoning is by function name.
//
// Before the queue: NodeHost.Propose and NodeHost.ProposeSession return an
// error only when the entry was not added to the node's entryQueue, or was
// never built. Nothing of it is left anywhere, so every such error has
// no_effect = true:
//
//	ErrClosed               nodehost.propose: first check
//	ErrClusterNotFound      nodehost.propose: no such node here
//	ErrClusterNotReady      node.propose: not initialized
//	ErrInvalidOperation     node.propose: a witness
//	ErrInvalidSession       node.propose: ValidForProposal
//	ErrPayloadTooBig        node.payloadTooBig, proposalShard.propose
//	ErrTimeoutTooSmall      proposalShard.propose: less than one RTT is left
//	ErrClusterClosed        proposalShard.propose: entryQueue.add said stopped,
//	                        and the pending record was deleted
//	ErrSystemBusy           proposalShard.propose: entryQueue.add said full
//
// After the queue, the result decides:
//
//	Dropped (ErrClusterNotReady)  no_effect: raft.handleFollowerPropose
//	    without a leader, a candidate, and handleLeaderPropose while the
//	    leadership is handed over, all report the entry dropped instead of
//	    appending or forwarding it. A leader that drops a forwarded entry
//	    reports on its own host, where nobody waits: the origin times out.
//	Rejected (ErrRejected)        no_effect: the entry was applied as
//	    'session unknown' and Update was not called. It speaks of this call:
//	    an earlier try with the same series may have been applied.
//	Timeout (ErrTimeout)          unknown: the entry may be in the log or on
//	    its way to the leader.
//	Terminated (ErrClusterClosed) unknown: pendingProposal.close ends all that
//	    wait, those already replicated too. This is the same error value as
//	    the refusal above, which is why Propose is used and not SyncPropose.
//	Aborted (ErrAborted)          unknown: never sent for proposals today.
//	the context's end             unknown: nobody takes the entry back.
//
// Reads have no effect, whatever becomes of them.

// failure is an error with what is known about its effect.
type failure struct {
	err      error
	noEffect bool
}

var codeOf = []struct {
	err  error
	code pb.RaftErrorCode
	grpc codes.Code
}{
	{dragonboat.ErrClusterNotFound, pb.RaftErrorCode_CLUSTER_NOT_FOUND, codes.NotFound},
	{dragonboat.ErrClusterNotReady, pb.RaftErrorCode_CLUSTER_NOT_READY, codes.Unavailable},
	{dragonboat.ErrClusterClosed, pb.RaftErrorCode_CLUSTER_CLOSED, codes.Unavailable},
	{dragonboat.ErrClusterNotInitialized, pb.RaftErrorCode_CLUSTER_NOT_INITIALIZED, codes.Unavailable},
	{dragonboat.ErrTimeout, pb.RaftErrorCode_TIMEOUT, codes.DeadlineExceeded},
	{context.DeadlineExceeded, pb.RaftErrorCode_TIMEOUT, codes.DeadlineExceeded},
	{dragonboat.ErrCanceled, pb.RaftErrorCode_CANCELED, codes.Canceled},
	{context.Canceled, pb.RaftErrorCode_CANCELED, codes.Canceled},
	{dragonboat.ErrSystemBusy, pb.RaftErrorCode_SYSTEM_BUSY, codes.ResourceExhausted},
	{dragonboat.ErrInvalidSession, pb.RaftErrorCode_INVALID_SESSION, codes.InvalidArgument},
	{dragonboat.ErrRejected, pb.RaftErrorCode_REJECTED, codes.FailedPrecondition},
	{dragonboat.ErrAborted, pb.RaftErrorCode_ABORTED, codes.Aborted},
	{dragonboat.ErrPayloadTooBig, pb.RaftErrorCode_PAYLOAD_TOO_BIG, codes.InvalidArgument},
	{dragonboat.ErrTimeoutTooSmall, pb.RaftErrorCode_TIMEOUT_TOO_SMALL, codes.DeadlineExceeded},
	{dragonboat.ErrInvalidDeadline, pb.RaftErrorCode_TIMEOUT_TOO_SMALL, codes.DeadlineExceeded},
	{dragonboat.ErrClosed, pb.RaftErrorCode_NODEHOST_CLOSED, codes.Unavailable},
	{dragonboat.ErrInvalidOperation, pb.RaftErrorCode_INVALID_OPERATION, codes.FailedPrecondition},
}

// status turns a failure into the gRPC error that clients see.
func (f failure) status() error {
	code, grpcCode := pb.RaftErrorCode_OTHER, codes.Internal
	for _, row := range codeOf {
		if errors.Is(f.err, row.err) {
			code, grpcCode = row.code, row.grpc
			break
		}
	}
	return withDetail(grpcCode, f.err.Error(), code, f.noEffect)
}

func withDetail(grpcCode codes.Code, text string, code pb.RaftErrorCode, noEffect bool) error {
	st := status.New(grpcCode, text)
	detailed, err := st.WithDetails(&pb.RaftError{Code: code, NoEffect: noEffect})
	if err != nil {
		// Only a code of OK or an unmarshalable detail can fail.
		return st.Err()
	}
	return detailed.Err()
}

// badRequest is for what never reached Dragonboat.
func badRequest(code pb.RaftErrorCode, text string) error {
	return withDetail(codes.InvalidArgument, text, code, true)
}
