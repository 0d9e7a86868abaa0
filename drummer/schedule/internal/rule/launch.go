// SPDX-License-Identifier: Apache-2.0

package rule

import (
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// Unplaceable says why a new cluster must not be placed: somebody else runs nodes
// under its ID; "": it may be.
func Unplaceable(c *fleet.Cluster) string {
	for i := range c.Replicas {
		if r := &c.Replicas[i]; !c.Zombie(r) && c.Node(r.NodeID) == nil {
			return wait("somebody to explain node %d on %s: it is not Drummer's, though the cluster is", r.NodeID, r.HostID).Wait
		}
	}
	return ""
}

// Launch starts all members of a cluster that never was, on the hosts where they
// are placed. The start of each carries the whole placement.
func Launch(c *fleet.Cluster, hosts []*fleet.Host) []*Step {
	members := map[uint64]string{}
	for i, h := range hosts {
		members[c.NextNodeID+uint64(i)] = h.Address()
	}
	var steps []*Step
	for i, h := range hosts {
		steps = append(steps, &Step{
			Request: &pb.Request{
				Kind:           pb.RequestKind_START_NODE,
				NodeId:         c.NextNodeID + uint64(i),
				NodehostId:     h.ID(),
				Join:           pb.JoinMode_INITIAL,
				InitialMembers: members,
			},
			Reason: "the cluster is defined and was never placed",
			Host:   h,
		})
	}
	return steps
}
