// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// healthy reports whether a cluster has the members it should have, all of them
// behind one leader, with nothing left over and nothing in flight; it counts the leader, and considers where
// the members live. In a steady deployment
// that is every cluster, so it is decided without allocating anything; what
// is not healthy is looked at in full.
func (p *planner) healthy(c *db.Cluster) bool {
	n := len(c.Image.Members)
	if c.Spec == nil || !p.state.Launched || n == 0 || n != int(c.Spec.Size) ||
		len(c.Nodes) != n || len(c.Replicas) != n || c.Config.InFlight() {
		return false
	}
	var leader *host
	old := false
	var hosts [db.MaxClusterSize]*host
	for i := range n {
		m, node, r := &c.Image.Members[i], &c.Nodes[i], &c.Replicas[i]
		if m.Role != pb.MemberRole_VOTER || node.ID != m.NodeID || r.NodeID != m.NodeID ||
			r.HostID != node.HostID || !c.Follows(r) {
			return false
		}
		h := p.hosts[node.HostID]
		if h == nil || !h.up || h.Mode == pb.HostMode_DRAIN || h.Address() != node.Address ||
			!labelled(h, c.Spec.RequiredLabels) {
			return false
		}
		hosts[i] = h
		old = old || outdated(c, r)
		if m.NodeID == c.Leader {
			leader = h
		}
	}
	if leader != nil {
		leader.leaders++
	}
	if old {
		p.outdated = append(p.outdated, c)
	}
	if picky(c.Spec) {
		p.consider(c, hosts[:n])
	}
	return true
}
