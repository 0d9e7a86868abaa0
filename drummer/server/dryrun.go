// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// maxDryDrains bounds the drains of one dry run; each is looked at by itself.
const maxDryDrains = 100

// DryRun decides on the state as it would be. States are immutable and Apply is
// pure, so assuming costs nothing and leaves no trace.
func (f *fleetService) DryRun(ctx context.Context, req *pb.DryRunRequest) (*pb.DryRunResponse, error) {
	state, err := f.stateFor(ctx, req)
	if err != nil {
		return nil, err
	}
	if n := len(req.GetDrain()); n > maxDryDrains {
		return nil, status.Errorf(codes.InvalidArgument, "%d drains are too many at once, %d are allowed", n, maxDryDrains)
	}
	policy := f.server.config.Policy
	commands, hosts, err := assumptions(state, req)
	if err != nil {
		return nil, err
	}
	out := &pb.DryRunResponse{DbIndex: state.Index, Seed: Seed(state)}
	assumed, err := assume(state, commands)
	if err != nil {
		return nil, err
	}
	for _, host := range hosts {
		out.Objections = append(out.Objections, waiting(schedule.PreflightDrain(state, policy, host))...)
	}
	plan := schedule.Decide(assumed, policy, out.Seed)
	out.Operations = plan.Operations
	busy := map[uint64]bool{}
	for _, op := range plan.Operations {
		busy[op.GetRequest().GetClusterId()] = true
	}
	out.Waiting = waiting(slices.DeleteFunc(plan.Waiting(), func(w schedule.Waiting) bool { return busy[w.ClusterID] }))
	return out, nil
}

// stateFor is the state that a request asks about: the newest, or a past one
// that this server still has.
func (f *fleetService) stateFor(ctx context.Context, req *pb.DryRunRequest) (*db.State, error) {
	if req.GetAtIndex() == 0 {
		state, err := f.server.latestState(ctx)
		if err != nil {
			return nil, unavailable(err)
		}
		return state, nil
	}
	state, err := f.server.stateAt(req.GetAtIndex())
	if err != nil {
		return nil, unavailable(err)
	}
	if state == nil {
		return nil, status.Errorf(codes.NotFound, "this server does not have DrummerDB's state at index %d any more, or not yet; it keeps the last %d",
			req.GetAtIndex(), db.MaxPast)
	}
	return state, nil
}

// assumptions turns a request into the commands that would bring it about, and
// the hosts that would be drained.
func assumptions(state *db.State, req *pb.DryRunRequest) (commands []*pb.Command, hosts []string, err error) {
	add := func(cmd *pb.Command) { commands = append(commands, cmd) }
	if len(req.GetDefine()) > 0 {
		add(&pb.Command{Body: &pb.Command_DefineClusters{DefineClusters: &pb.DefineClusters{Specs: req.GetDefine()}}})
	}
	if len(req.GetUpdate()) > 0 {
		add(&pb.Command{Body: &pb.Command_UpdateClusters{UpdateClusters: &pb.UpdateClusters{Specs: req.GetUpdate()}}})
	}
	if len(req.GetDelete()) > 0 {
		add(&pb.Command{Body: &pb.Command_DeleteClusters{DeleteClusters: &pb.DeleteClusters{ClusterIds: req.GetDelete()}}})
	}
	if req.GetLaunched() {
		add(&pb.Command{Body: &pb.Command_SetLaunched{SetLaunched: &pb.SetLaunched{}}})
	}
	if req.GetResumed() {
		add(&pb.Command{Body: &pb.Command_SetPaused{SetPaused: &pb.SetPaused{}}})
	}
	for _, name := range req.GetDrain() {
		id, err := resolveHost(state, name)
		if err != nil {
			return nil, nil, err
		}
		hosts = append(hosts, id)
		add(&pb.Command{Body: &pb.Command_SetHostMode{SetHostMode: &pb.SetHostMode{NodehostId: id, Mode: pb.HostMode_DRAIN}}})
	}
	return commands, hosts, nil
}

// assume applies commands to a state that nobody else sees.
func assume(state *db.State, commands []*pb.Command) (*db.State, error) {
	for _, cmd := range commands {
		data, err := proto.Marshal(cmd)
		if err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "an assumption can't be encoded: %v", err)
		}
		next, result := db.Apply(state, state.Index+1, data)
		if err := refusal(result); err != nil {
			return nil, err
		}
		state = next
	}
	return state, nil
}

func waiting(in []schedule.Waiting) []*pb.WaitingCluster {
	var out []*pb.WaitingCluster
	for _, w := range in {
		out = append(out, &pb.WaitingCluster{ClusterId: w.ClusterID, For: w.For})
	}
	return out
}
