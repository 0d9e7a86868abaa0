// SPDX-License-Identifier: Apache-2.0

package nodehostapi

import (
	"context"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Recovery is what an agent offers for clusters that have lost their quorum for good.
type Recovery interface {
	Inspect(context.Context, *pb.InspectReplicaRequest) (*pb.InspectReplicaResponse, error)
	Recover(context.Context, *pb.RecoverReplicaRequest) (*pb.RecoverReplicaResponse, error)
}

// recoveryService offers it remotely.
type recoveryService struct {
	pb.UnimplementedRecoveryServer
	recovery Recovery
}

// InspectReplica returns what a replica has.
func (s *recoveryService) InspectReplica(ctx context.Context, req *pb.InspectReplicaRequest) (*pb.InspectReplicaResponse, error) {
	return s.recovery.Inspect(ctx, req)
}

// RecoverReplica makes a new cluster of one of its snapshot.
func (s *recoveryService) RecoverReplica(ctx context.Context, req *pb.RecoverReplicaRequest) (*pb.RecoverReplicaResponse, error) {
	return s.recovery.Recover(ctx, req)
}
