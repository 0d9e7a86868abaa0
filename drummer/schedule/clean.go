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
