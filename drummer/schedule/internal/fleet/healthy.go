// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Healthy is a cluster that has the members it should have, all of them behind one
// leader, with nothing left over and nothing in flight.
type Healthy struct {
	// Hosts are those of the members, in their order.
	Hosts []*Host
	// Leader is the host of the leader, if it is one of the members.
	Leader *Host
	// Outdated: some node runs with another Raft configuration than it should.
	Outdated bool
}

// Healthy reports whether a cluster is healthy. In a steady deployment every one
// is, so that is found out without allocating anything: hosts is where the answer
// has room for them.
func (f *Fleet) Healthy(c *db.Cluster, hosts *[db.MaxClusterSize]*Host) (healthy Healthy, ok bool) {
	n := len(c.Image.Members)
	if c.Spec == nil || !f.State.Launched || n == 0 || n != int(c.Spec.Size) ||
		len(c.Nodes) != n || len(c.Replicas) != n || c.Config.InFlight() {
		return Healthy{}, false
	}
	for i := range n {
		m, node, r := &c.Image.Members[i], &c.Nodes[i], &c.Replicas[i]
		if m.Role != pb.MemberRole_VOTER || node.ID != m.NodeID || r.NodeID != m.NodeID ||
			r.HostID != node.HostID || !c.Follows(r) {
			return Healthy{}, false
		}
		h := f.Host(node.HostID)
		if h == nil || !h.Up || h.Mode == pb.HostMode_DRAIN || h.Address() != node.Address ||
			!h.HasLabels(c.Spec.RequiredLabels) {
			return Healthy{}, false
		}
		hosts[i] = h
		healthy.Outdated = healthy.Outdated || Outdated(c, r)
		if m.NodeID == c.Leader {
			healthy.Leader = h
		}
	}
	healthy.Hosts = hosts[:n]
	return healthy, true
}

// Outdated reports whether a replica runs with another Raft configuration than
// its cluster should have.
func Outdated(c *db.Cluster, r *db.Replica) bool {
	return r.RaftDigest != 0 && r.RaftDigest != c.RaftDigest
}
