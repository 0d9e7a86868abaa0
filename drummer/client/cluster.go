// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Propose makes a proposal with a no-op session to a cluster wherever it is.
// It goes to another member only while the proposal certainly had no effect, so
// it is applied at most once.
func (c *Client) Propose(ctx context.Context, clusterID uint64, command []byte) (*pb.ProposeResponse, error) {
	return onMembers(ctx, c, clusterID, func(err error) bool { return OutcomeOf(err) == NoEffect && status.Code(err) != codes.PermissionDenied },
		func(ctx context.Context, host NodeHost) (*pb.ProposeResponse, error) {
			return host.Propose(ctx, NoOpSession(clusterID), command)
		})
}

// Read asks a cluster, linearizably, wherever it is.
func (c *Client) Read(ctx context.Context, clusterID uint64, query []byte) ([]byte, error) {
	return onMembers(ctx, c, clusterID, worthAnotherMember,
		func(ctx context.Context, host NodeHost) ([]byte, error) {
			return host.Read(ctx, clusterID, query)
		})
}

func worthAnotherMember(err error) bool {
	return worthAnother(err) || RaftErrorOf(err).GetCode() == pb.RaftErrorCode_CLUSTER_NOT_FOUND
}

// onMembers tries the members of a cluster, its leader first, then asks Drummer
// anew and tries again, once.
func onMembers[Out any](ctx context.Context, c *Client, clusterID uint64, again func(error) bool,
	try func(context.Context, NodeHost) (Out, error)) (Out, error) {
	var out Out
	var last error
	for range 2 {
		location, err := c.Location(ctx, clusterID)
		if err != nil {
			return out, noEffect{err} // others were asked only while that had none
		}
		for _, member := range leaderFirst(location) {
			tryCtx, cancel := context.WithTimeout(ctx, c.config.TryTimeout)
			out, last = try(tryCtx, c.NodeHost(member.GetApiAddress()))
			cancel()
			if last == nil {
				return out, nil
			}
			if !again(last) || ctx.Err() != nil {
				return out, last
			}
		}
		c.Forget(clusterID)
	}
	if last == nil {
		return out, noEffect{fmt.Errorf("cluster %d has no running member with a NodeHost API address", clusterID)}
	}
	return out, last
}

// leaderFirst returns the members that can be asked, the leader at the head.
func leaderFirst(location *pb.ClusterLocation) []*pb.MemberLocation {
	var members []*pb.MemberLocation
	for _, member := range location.GetMembers() {
		if !member.GetRunning() || member.GetApiAddress() == "" || member.GetRole() == pb.MemberRole_WITNESS {
			continue
		}
		members = append(members, member)
		if last := len(members) - 1; member.GetNodeId() == location.GetLeaderId() {
			members[0], members[last] = members[last], members[0]
		}
	}
	return members
}
