// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// fenceHost refuses a NodeHost that these servers must not command: one of another
// deployment, one that newer servers of this deployment have adopted, and one that
// hears of the older ones still. Two sets of servers, each of which takes itself
// for the deployment's, so never command one NodeHost by turns: it goes from the
// older to the newer, once the older ones count it as dead anyway, and never back.
func (s *Server) fenceHost(ctx context.Context, state *db.State, hello *pb.Hello) error {
	host, epoch := hello.GetHost().GetNodehostId(), hello.GetDeploymentEpoch()
	silence := time.Duration(hello.GetDeploymentSilenceNs())
	switch id := hello.GetDeploymentId(); {
	case id == 0:
		return nil
	case id != state.DeploymentID:
		return status.Errorf(codes.FailedPrecondition, "NodeHost %s belongs to deployment %d, this is %d", host, id, state.DeploymentID)
	case epoch > state.DeploymentEpoch:
		s.standDown(ctx, state, host, epoch)
		return status.Errorf(codes.FailedPrecondition, "NodeHost %s was adopted by the newer servers of epoch %d of deployment %d, these are of epoch %d",
			host, epoch, id, state.DeploymentEpoch)
	case epoch < state.DeploymentEpoch && silence < s.timeToLive():
		return status.Errorf(codes.FailedPrecondition, "NodeHost %s has heard of the older servers of deployment %d, those of epoch %d, %v ago, and is adopted after a silence of %v; if they are to go on, stop these here",
			host, id, epoch, silence.Round(time.Millisecond), s.timeToLive())
	}
	return nil
}

// standDown pauses a deployment that a newer one has taken a NodeHost from: what
// it decided about the rest of the fleet would be decided twice.
func (s *Server) standDown(ctx context.Context, state *db.State, host string, epoch uint64) {
	if state.Paused {
		return
	}
	reason := fmt.Sprintf("NodeHost %s was adopted by other servers of deployment %d, begun at %v, and these were begun at %v. "+
		"Stop these for good; or, if they are the newer ones and a clock was wrong, start them again on empty data_dirs with the right time",
		host, state.DeploymentID, epochTime(epoch), epochTime(state.DeploymentEpoch))
	_, err := s.propose(ctx, &pb.Command{Body: &pb.Command_SetPaused{SetPaused: &pb.SetPaused{Paused: true, Reason: reason, By: "Drummer itself"}}})
	s.log.Error("paused, because newer servers of the deployment have adopted a NodeHost", "reason", reason, "error", err)
}

// epochTime is when a DrummerDB was begun, by the clock of the server that did.
func epochTime(epoch uint64) string {
	return time.Unix(0, int64(epoch)).UTC().Format(time.RFC3339Nano)
}

// timeToLive is how long a NodeHost is unheard of before it counts as dead.
func (s *Server) timeToLive() time.Duration {
	return time.Duration(s.config.Policy.TTL) * s.config.Tick
}
