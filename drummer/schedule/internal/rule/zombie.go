// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// HasZombie reports whether some host has what is left of a node that is no member
// any more.
func HasZombie(c *db.Cluster) bool {
	for i := range c.Replicas {
		if c.Zombie(&c.Replicas[i]) {
			return true
		}
	}
	return false
}

// Destroy has a zombie stopped and its data removed. What a cluster that was
// deleted waits for is said too, whether or not the step can be taken now.
func Destroy(c *fleet.Cluster, r *db.Replica) Next {
	if !c.Zombie(r) {
		return Next{}
	}
	if suspended(c, r) {
		return wait("its voters to work, before node %d, which is no member, is removed from %s: %s", r.NodeID, r.HostID, c.Doubts())
	}
	var next Next
	if c.Deleted {
		next = wait("node %d of the deleted cluster to be removed from %s", r.NodeID, r.HostID)
	}
	if h := c.Fleet.Host(r.HostID); h != nil && h.Fresh {
		next.Step = &Step{
			Request: &pb.Request{Kind: pb.RequestKind_DESTROY_NODE, NodeId: r.NodeID, NodehostId: r.HostID, ConfigChangeId: c.Image.CCID},
			Reason:  zombieReason(c, r),
			Host:    h,
			Attempt: &r.Destroy,
		}
	}
	return next
}

// suspended reports whether what is left of a former member has to stay for now.
// While the cluster doesn't work, that may be what somebody recovers it from, or
// has: a snapshot that is imported has an older ccid, and may have members that
// were removed after it was taken.
func suspended(c *fleet.Cluster, r *db.Replica) bool {
	return !c.Deleted && r.NodeID >= c.FirstNodeID && !c.Works()
}

func zombieReason(c *fleet.Cluster, r *db.Replica) string {
	switch {
	case c.Deleted:
		return "the cluster was deleted"
	case r.NodeID < c.FirstNodeID:
		return "it is left of a cluster that this one took the place of"
	default:
		return fmt.Sprintf("it is no member at ccid %d", c.Image.CCID)
	}
}
