// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/lni/dragonboat/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// maxLocate bounds the IDs of one Locate.
const maxLocate = 100_000

// drummerService answers applications and tools on any server: DrummerDB's Raft
// cluster passes proposals and linearizable reads on to whoever leads.
type drummerService struct {
	pb.UnimplementedDrummerServer
	server *Server
}

// DefineClusters adds specifications, all of them or none.
func (d *drummerService) DefineClusters(ctx context.Context, req *pb.DefineClustersRequest) (*pb.DefineClustersResponse, error) {
	if err := db.ValidateSpecs(req.GetSpecs()); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	by, err := asked(ctx, req.GetBy())
	if err != nil {
		return nil, err
	}
	index, err := d.apply(ctx, &pb.Command{Body: &pb.Command_DefineClusters{
		DefineClusters: &pb.DefineClusters{Specs: req.GetSpecs(), By: by}}})
	if err != nil {
		return nil, err
	}
	return &pb.DefineClustersResponse{DbIndex: index}, nil
}

// Launch starts the operation phase.
func (d *drummerService) Launch(ctx context.Context, req *pb.LaunchRequest) (*pb.LaunchResponse, error) {
	by, err := asked(ctx, req.GetBy())
	if err != nil {
		return nil, err
	}
	index, err := d.apply(ctx, &pb.Command{Body: &pb.Command_SetLaunched{SetLaunched: &pb.SetLaunched{By: by}}})
	if err != nil {
		return nil, err
	}
	return &pb.LaunchResponse{DbIndex: index}, nil
}

// apply proposes an idempotent command and answers with an index at which it
// holds.
func (d *drummerService) apply(ctx context.Context, cmd *pb.Command) (uint64, error) {
	result, err := d.server.propose(ctx, cmd)
	if err != nil {
		return 0, unavailable(err)
	}
	if err := refusal(result); err != nil {
		return 0, err
	}
	state, err := d.server.localState()
	if err != nil {
		return 0, unavailable(err)
	}
	return state.Index, nil
}

// refusal is the gRPC error for what DrummerDB did not apply.
func refusal(result *pb.CommandResult) error {
	code := codes.Internal
	switch result.GetCode() {
	case pb.CommandCode_APPLIED:
		return nil
	case pb.CommandCode_INVALID, pb.CommandCode_MALFORMED:
		code = codes.InvalidArgument
	case pb.CommandCode_CONFLICT:
		code = codes.AlreadyExists
	case pb.CommandCode_NOT_FOUND:
		code = codes.NotFound
	case pb.CommandCode_UNKNOWN_COMMAND:
		code = codes.Unimplemented
	case pb.CommandCode_STALE_TERM:
		code = codes.Aborted
	}
	return status.Error(code, result.GetDetail())
}

// unavailable says that DrummerDB gave no answer; another server, or the same
// one later, may.
func unavailable(err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, dragonboat.ErrCanceled):
		return status.FromContextError(context.Canceled).Err()
	default:
		return status.Error(codes.Unavailable, fmt.Sprintf("DrummerDB does not answer: %v", err))
	}
}

// Locate returns where clusters are.
func (d *drummerService) Locate(ctx context.Context, req *pb.LocateRequest) (*pb.LocateResponse, error) {
	if n := len(req.GetClusterIds()); n > maxLocate {
		return nil, status.Errorf(codes.InvalidArgument, "%d cluster IDs are too many at once, %d are allowed; none means all, a page at a time", n, maxLocate)
	}
	state, err := d.server.latestState(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	return d.server.locate(state, req)
}

// ListNodeHosts lists the hosts that were ever heard of and not forgotten.
func (d *drummerService) ListNodeHosts(ctx context.Context, req *pb.ListNodeHostsRequest) (*pb.ListNodeHostsResponse, error) {
	state, err := d.server.latestState(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	return listHosts(state, d.server.config.Policy, req)
}

// ListOperations lists what is in flight.
func (d *drummerService) ListOperations(ctx context.Context, _ *pb.ListOperationsRequest) (*pb.ListOperationsResponse, error) {
	state, err := d.server.latestState(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	out := &pb.ListOperationsResponse{DbIndex: state.Index}
	for _, op := range state.Operations.All() {
		out.Operations = append(out.Operations, op)
	}
	return out, nil
}

// Status is this server's own view, also when DrummerDB has no leader.
func (d *drummerService) Status(context.Context, *pb.StatusRequest) (*pb.StatusResponse, error) {
	s := d.server
	_, term := s.leader.current()
	_, leading := s.Leading()
	out := &pb.StatusResponse{
		Server:        s.peers.Own(),
		Leader:        leading,
		LeaderAddress: s.leaderAddress(),
		Term:          term,
	}
	if l := s.leadership.Load(); l != nil {
		out.Scheduling = l.scheduling.Load()
	}
	out.ProposedBytes = s.proposed.Load()
	out.Decisions = s.decisions.made.Load()
	out.CrossChecks = s.decisions.checked.Load()
	out.Refusals = s.guard.Refusals()
	out.CrossCheckDifferences = s.decisions.differences.Load()
	if state, err := s.localState(); err == nil {
		out.DeploymentId = state.DeploymentID
		out.Tick = state.Tick
		out.DbIndex = state.Index
		out.Launched = state.Launched
		out.Paused = state.Paused
		out.PauseReason = state.PauseReason
		for _, fuse := range state.Blown {
			out.Blown = append(out.Blown, fmt.Sprintf("%s: %s", fuse, fuse.Why))
		}
	}
	return out, nil
}
