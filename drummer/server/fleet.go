// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// maxText bounds a reason and a name, in bytes.
const maxText = 1024

// fleetService is for operators; like drummerService, on any server.
type fleetService struct {
	pb.UnimplementedFleetServer
	drummer *drummerService
	server  *Server
}

// asked says who asked: the name that was given, and what the caller's
// certificate says.
func asked(ctx context.Context, by string) (string, error) {
	if len(by) > maxText {
		return "", status.Errorf(codes.InvalidArgument, "'by' has %d bytes, the limit is %d", len(by), maxText)
	}
	if caller, ok := role.From(ctx); ok {
		by = strings.TrimSpace(fmt.Sprintf("%s (certificate %s, %s)", by, caller.Name, caller.Role))
	}
	return by, nil
}

// apply proposes a command and answers with an index at which it holds.
func (f *fleetService) apply(ctx context.Context, cmd *pb.Command) (*pb.FleetResponse, error) {
	index, err := f.drummer.apply(ctx, cmd)
	if err != nil {
		return nil, err
	}
	return &pb.FleetResponse{DbIndex: index}, nil
}

// UpdateClusters changes specifications.
func (f *fleetService) UpdateClusters(ctx context.Context, req *pb.UpdateClustersRequest) (*pb.FleetResponse, error) {
	by, err := asked(ctx, req.GetBy())
	if err != nil {
		return nil, err
	}
	if err := db.ValidateSpecs(req.GetSpecs()); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return f.apply(ctx, &pb.Command{Body: &pb.Command_UpdateClusters{
		UpdateClusters: &pb.UpdateClusters{Specs: req.GetSpecs(), By: by}}})
}

// DeleteClusters ends clusters for good.
func (f *fleetService) DeleteClusters(ctx context.Context, req *pb.DeleteClustersRequest) (*pb.FleetResponse, error) {
	by, err := asked(ctx, req.GetBy())
	if err != nil {
		return nil, err
	}
	if n := len(req.GetClusterIds()); n == 0 || n > db.MaxSpecs {
		return nil, status.Errorf(codes.InvalidArgument, "%d clusters to delete, 1 to %d are allowed at once", n, db.MaxSpecs)
	}
	return f.apply(ctx, &pb.Command{Body: &pb.Command_DeleteClusters{
		DeleteClusters: &pb.DeleteClusters{ClusterIds: req.GetClusterIds(), By: by}}})
}

// Pause stops all new decisions.
func (f *fleetService) Pause(ctx context.Context, req *pb.PauseRequest) (*pb.FleetResponse, error) {
	by, err := asked(ctx, req.GetBy())
	if err != nil {
		return nil, err
	}
	if n := len(req.GetReason()); n > maxText {
		return nil, status.Errorf(codes.InvalidArgument, "the reason has %d bytes, the limit is %d", n, maxText)
	}
	return f.apply(ctx, &pb.Command{Body: &pb.Command_SetPaused{
		SetPaused: &pb.SetPaused{Paused: true, Reason: req.GetReason(), By: by}}})
}

// Resume ends a pause.
func (f *fleetService) Resume(ctx context.Context, req *pb.ResumeRequest) (*pb.FleetResponse, error) {
	by, err := asked(ctx, req.GetBy())
	if err != nil {
		return nil, err
	}
	return f.apply(ctx, &pb.Command{Body: &pb.Command_SetPaused{SetPaused: &pb.SetPaused{By: by}}})
}

// SetHostMode cordons, drains or activates a NodeHost, after a look at what a
// drain would do.
func (f *fleetService) SetHostMode(ctx context.Context, req *pb.SetHostModeRequest) (*pb.FleetResponse, error) {
	by, err := asked(ctx, req.GetBy())
	if err != nil {
		return nil, err
	}
	state, err := f.server.latestState(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	id, err := resolveHost(state, req.GetHost())
	if err != nil {
		return nil, err
	}
	if req.GetMode() == pb.HostMode_DRAIN && !req.GetForce() {
		if objections := schedule.PreflightDrain(state, f.server.config.Policy, id); len(objections) > 0 {
			return nil, status.Error(codes.FailedPrecondition, objection(id, objections))
		}
	}
	return f.apply(ctx, &pb.Command{Body: &pb.Command_SetHostMode{
		SetHostMode: &pb.SetHostMode{NodehostId: id, Mode: req.GetMode(), By: by}}})
}

// objection is what speaks against a drain, as a sentence.
func objection(host string, objections []schedule.Waiting) string {
	const shown = 5
	var parts []string
	for _, o := range objections[:min(len(objections), shown)] {
		parts = append(parts, fmt.Sprintf("cluster %d would wait for %s", o.ClusterID, o.For))
	}
	if more := len(objections) - shown; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more clusters", more))
	}
	return fmt.Sprintf("host %s can't be drained: %s; force it to drain all the same", host, strings.Join(parts, "; "))
}

// resolveHost finds a host by its NodeHost ID or by its RaftAddress.
func resolveHost(state *db.State, name string) (string, error) {
	if state.Hosts.At(name) != nil {
		return name, nil
	}
	if id, ok := state.Addresses.Get(name); ok {
		return id, nil
	}
	return "", status.Errorf(codes.NotFound, "no NodeHost has the ID or the RaftAddress %q", name)
}

// ForgetHost drops a host that is dead or gone.
func (f *fleetService) ForgetHost(ctx context.Context, req *pb.ForgetHostRequest) (*pb.FleetResponse, error) {
	by, err := asked(ctx, req.GetBy())
	if err != nil {
		return nil, err
	}
	return f.apply(ctx, &pb.Command{Body: &pb.Command_ForgetHost{
		ForgetHost: &pb.ForgetHost{NodehostId: req.GetHost(), By: by}}})
}

// RecoverCluster hands a cluster back to Drummer that was recovered from one replica.
func (f *fleetService) RecoverCluster(ctx context.Context, req *pb.RecoverClusterRequest) (*pb.FleetResponse, error) {
	by, err := asked(ctx, req.GetBy())
	if err != nil {
		return nil, err
	}
	return f.apply(ctx, &pb.Command{Body: &pb.Command_RecoverCluster{RecoverCluster: &pb.RecoverCluster{
		ClusterId: req.GetClusterId(), NodeId: req.GetNodeId(), NodehostId: req.GetNodehostId(), By: by}}})
}

// ListServers lists the members of DrummerDB's Raft cluster.
func (f *fleetService) ListServers(ctx context.Context, _ *pb.ListServersRequest) (*pb.ListServersResponse, error) {
	out, err := f.server.peers.List(ctx)
	return out, unanswered(err)
}

// AddServer adds an observer to them.
func (f *fleetService) AddServer(ctx context.Context, req *pb.AddServerRequest) (*pb.AddServerResponse, error) {
	by, err := asked(ctx, req.GetBy())
	if err != nil {
		return nil, err
	}
	out, err := f.server.peers.Add(ctx, req, by)
	return out, unanswered(err)
}

// RemoveServer takes a server out of them.
func (f *fleetService) RemoveServer(ctx context.Context, req *pb.RemoveServerRequest) (*pb.FleetResponse, error) {
	by, err := asked(ctx, req.GetBy())
	if err != nil {
		return nil, err
	}
	if err := f.server.peers.Remove(ctx, req.GetNodeId(), req.GetForce(), by); err != nil {
		return nil, unanswered(err)
	}
	state, err := f.server.localState()
	if err != nil {
		return nil, unavailable(err)
	}
	return &pb.FleetResponse{DbIndex: state.Index}, nil
}

// unanswered makes of an error that is no answer the one that says so.
func unanswered(err error) error {
	if _, answer := status.FromError(err); answer {
		return err // also nil
	}
	return unavailable(err)
}
