// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// clean has zombies stopped and their data removed: replicas of nodes that
// are no members any more, on hosts that are up.
func (p *planner) clean(a *assessment) {
	for i := range a.Replicas {
		r := &a.Replicas[i]
		h := p.hosts[r.HostID]
		if !a.Zombie(r) {
			continue
		}
		if a.Deleted {
			p.waits(a.ID, "node %d of the deleted cluster to be removed from %s", r.NodeID, r.HostID)
		}
		if a.suspended(r) {
			p.waits(a.ID, "its voters to work, before node %d, which is no member, is removed from %s: %s", r.NodeID, r.HostID, a.doubts())
			continue
		}
		if h == nil || !h.fresh || !p.reported(r.Destroy) || !p.free(h) {
			continue
		}
		p.operate(a, &pb.Request{
			Kind:           pb.RequestKind_DESTROY_NODE,
			NodeId:         r.NodeID,
			NodehostId:     r.HostID,
			ConfigChangeId: a.Image.CCID,
		}, "%s", zombieReason(a, r))
	}
}

// suspended reports whether what is left of a former member has to stay for now.
// While the cluster doesn't work, that may be what somebody recovers it from, or
// has: a snapshot that is imported has an older ccid, and may have members that
// were removed after it was taken.
func (a *assessment) suspended(r *db.Replica) bool {
	return !a.Deleted && r.NodeID >= a.FirstNodeID && a.sure < db.Quorum(len(a.voters))
}

func zombieReason(a *assessment, r *db.Replica) string {
	switch {
	case a.Deleted:
		return "the cluster was deleted"
	case r.NodeID < a.FirstNodeID:
		return "it is left of a cluster that this one took the place of"
	default:
		return fmt.Sprintf("it is no member at ccid %d", a.Image.CCID)
	}
}
