// SPDX-License-Identifier: Apache-2.0

package nodehostapi

import (
	"context"
	"fmt"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/client"
	"github.com/lni/dragonboat/v3/statemachine"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Propose makes one proposal and waits until it was applied here.
func (s *service) Propose(ctx context.Context, req *pb.ProposeRequest) (*pb.ProposeResponse, error) {
	if len(req.GetCommand()) > MaxPayloadBytes {
		return nil, badRequest(pb.RaftErrorCode_PAYLOAD_TOO_BIG,
			fmt.Sprintf("a command of %d bytes is over the limit of %d", len(req.GetCommand()), MaxPayloadBytes))
	}
	session, err := s.session(req.GetSession())
	if err != nil {
		return nil, err
	}
	ctx, cancel := bound(ctx)
	defer cancel()
	result, failed := s.await(ctx, func(timeout time.Duration) (*dragonboat.RequestState, error) {
		return s.nodehost.Propose(session, req.GetCommand(), timeout)
	})
	if failed != nil {
		return nil, failed.status()
	}
	return &pb.ProposeResponse{Value: result.Value, Data: result.Data}, nil
}

// GetSession registers a new client session in the cluster.
func (s *service) GetSession(ctx context.Context, req *pb.GetSessionRequest) (*pb.Session, error) {
	session := s.nodehost.GetNoOPSession(req.GetClusterId()) // for its fresh random client id
	session.SeriesID = client.SeriesIDForRegister
	ctx, cancel := bound(ctx)
	defer cancel()
	_, failed := s.await(ctx, func(timeout time.Duration) (*dragonboat.RequestState, error) {
		return s.nodehost.ProposeSession(session, timeout)
	})
	if failed != nil {
		return nil, failed.status()
	}
	session.PrepareForPropose()
	return &pb.Session{
		ClusterId:   session.ClusterID,
		ClientId:    session.ClientID,
		SeriesId:    session.SeriesID,
		RespondedTo: session.RespondedTo,
	}, nil
}

// CloseSession unregisters a client session.
func (s *service) CloseSession(ctx context.Context, req *pb.Session) (*pb.CloseSessionResponse, error) {
	session, err := s.session(req)
	if err != nil {
		return nil, err
	}
	if session.IsNoOPSession() {
		return nil, badRequest(pb.RaftErrorCode_INVALID_SESSION, "a no-op session was never registered and needs no closing")
	}
	session.PrepareForUnregister()
	ctx, cancel := bound(ctx)
	defer cancel()
	_, failed := s.await(ctx, func(timeout time.Duration) (*dragonboat.RequestState, error) {
		return s.nodehost.ProposeSession(session, timeout)
	})
	if failed != nil {
		return nil, failed.status()
	}
	return &pb.CloseSessionResponse{}, nil
}

// session checks a client's session: Dragonboat panics on some bad ones.
func (s *service) session(in *pb.Session) (*client.Session, error) {
	if in == nil {
		return nil, badRequest(pb.RaftErrorCode_INVALID_SESSION, "a proposal needs a session; client_id 0 makes it a no-op session")
	}
	if in.GetClientId() == 0 {
		return s.nodehost.GetNoOPSession(in.GetClusterId()), nil
	}
	series := in.GetSeriesId()
	if series == client.NoOPSeriesID || series >= client.SeriesIDForRegister || in.GetRespondedTo() > series {
		return nil, badRequest(pb.RaftErrorCode_INVALID_SESSION,
			fmt.Sprintf("session of client %d of cluster %d has series %d and responded_to %d; the series must be at least 1 and not below responded_to",
				in.GetClientId(), in.GetClusterId(), series, in.GetRespondedTo()))
	}
	return &client.Session{
		ClusterID:   in.GetClusterId(),
		ClientID:    in.GetClientId(),
		SeriesID:    series,
		RespondedTo: in.GetRespondedTo(),
	}, nil
}

// await starts a proposal and waits for its result; the failure says whether
// it can still take effect.
func (s *service) await(ctx context.Context, start func(time.Duration) (*dragonboat.RequestState, error)) (statemachine.Result, *failure) {
	deadline, _ := ctx.Deadline() // bound made sure that there is one
	state, err := sessionPanicAsError(func() (*dragonboat.RequestState, error) {
		return start(time.Until(deadline))
	})
	if err != nil {
		return statemachine.Result{}, &failure{err, true}
	}
	select {
	case result := <-state.AppliedC():
		defer state.Release()
		return outcome(result)
	case <-ctx.Done():
		// The state is not released: Dragonboat still holds it and will send
		// into its channel.
		return statemachine.Result{}, &failure{ctx.Err(), false}
	}
}

func outcome(r dragonboat.RequestResult) (statemachine.Result, *failure) {
	switch {
	case r.Completed():
		return r.GetResult(), nil
	case r.Rejected():
		return statemachine.Result{}, &failure{dragonboat.ErrRejected, true}
	case r.Dropped():
		return statemachine.Result{}, &failure{dragonboat.ErrClusterNotReady, true}
	case r.Terminated():
		return statemachine.Result{}, &failure{dragonboat.ErrClusterClosed, false}
	case r.Aborted():
		return statemachine.Result{}, &failure{dragonboat.ErrAborted, false}
	default:
		return statemachine.Result{}, &failure{dragonboat.ErrTimeout, false}
	}
}

// onDiskSessionPanic is what Dragonboat says, in a panic, to a registered
// session on an on-disk state machine.
const onDiskSessionPanic = "IOnDiskStateMachine based nodes must use NoOPSession"

// sessionPanicAsError turns that one panic into an error. NodeHost has no cheap
// way to ask for a cluster's kind beforehand, and the panic comes before
// anything is locked or queued. Other panics go on.
func sessionPanicAsError(start func() (*dragonboat.RequestState, error)) (state *dragonboat.RequestState, err error) {
	defer func() {
		if r := recover(); r != nil {
			if fmt.Sprint(r) != onDiskSessionPanic {
				panic(r)
			}
			err = fmt.Errorf("%w: on-disk state machines take no-op sessions only", dragonboat.ErrInvalidSession)
		}
	}()
	return start()
}
