// SPDX-License-Identifier: Apache-2.0

package db

import (
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Location is Drummer's picture of a cluster, for people and clients, for whom hosts
// are dead after ttl ticks without a word. What it waits for is the scheduler's to say.
func (s *State) Location(c *Cluster, ttl uint64) *pb.ClusterLocation {
	l := &pb.ClusterLocation{}
	s.locate(l, make([]pb.MemberLocation, len(c.members())), c, ttl, s.Hosts.At)
	return l
}

// members are those of the image or, before there is one, those the cluster was placed
// with.
func (c *Cluster) members() []Member {
	if c.Image.CCID == 0 {
		return c.Initial
	}
	return c.Image.Members
}

// locate fills in an empty location, with members that it is given room for.
func (s *State) locate(l *pb.ClusterLocation, located []pb.MemberLocation, c *Cluster, ttl uint64, host func(id string) *Host) {
	l.ClusterId, l.ConfigChangeId, l.Spec = c.ID, c.Image.CCID, c.Spec
	l.Launched, l.NextNodeId = len(c.Nodes) > 0, c.NextNodeID
	working := 0
	l.Members = make([]*pb.MemberLocation, len(located))
	for i, m := range c.members() {
		follows := s.locateMember(&located[i], c, &m, ttl, host)
		l.Members[i] = &located[i]
		if follows && Voting(m.Role) {
			working++
		}
		if m.NodeID == c.Leader && located[i].Running {
			l.LeaderId = c.Leader
		}
	}
	l.Available = c.Image.CCID != 0 && working >= Quorum(c.Image.Voters())
}

// locateMember fills in where a member is, and reports whether it follows the
// cluster's leader, on a host that is up.
func (s *State) locateMember(l *pb.MemberLocation, c *Cluster, m *Member, ttl uint64, host func(id string) *Host) (follows bool) {
	l.NodeId, l.Role, l.RaftAddress = m.NodeID, m.Role, m.Address
	n := c.Node(m.NodeID)
	if n == nil {
		return false
	}
	h := n.on(host(n.HostID))
	if h == nil {
		return false
	}
	l.NodehostId, l.ApiAddress = h.ID(), h.Info.GetApiAddress()
	r := c.Replica(n.ID, n.HostID)
	l.Running = r != nil && r.Running && s.HostState(h, ttl) == pb.NodeHostState_UP
	return l.Running && c.Follows(r)
}
