// SPDX-License-Identifier: Apache-2.0

package db

import (
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Location is Drummer's picture of a cluster, for people and clients. What it
// waits for is the scheduler's to say.
func (s *State) Location(c *Cluster, ttl uint64) *pb.ClusterLocation {
	l := &pb.ClusterLocation{
		ClusterId:      c.ID,
		ConfigChangeId: c.Image.CCID,
		Spec:           c.Spec,
		Launched:       len(c.Nodes) > 0,
		NextNodeId:     c.NextNodeID,
	}
	members := c.Image.Members
	if c.Image.CCID == 0 {
		members = c.Initial
	}
	working := 0
	described := make([]pb.MemberLocation, len(members))
	l.Members = make([]*pb.MemberLocation, len(members))
	for i, m := range members {
		follows := s.describeMember(&described[i], c, m, ttl)
		l.Members[i] = &described[i]
		if follows && Voting(m.Role) {
			working++
		}
		if m.NodeID == c.Leader && described[i].Running {
			l.LeaderId = c.Leader
		}
	}
	l.Available = c.Image.CCID != 0 && working >= Quorum(c.Image.Voters())
	return l
}

// describeMember fills in where a member is, and reports whether it follows the
// cluster's leader, on a host that is up.
func (s *State) describeMember(l *pb.MemberLocation, c *Cluster, m Member, ttl uint64) (follows bool) {
	l.NodeId, l.Role, l.RaftAddress = m.NodeID, m.Role, m.Address
	n := c.Node(m.NodeID)
	if n == nil {
		return false
	}
	h := s.NodeHost(n)
	if h == nil {
		return false
	}
	l.NodehostId, l.ApiAddress = h.ID(), h.Info.GetApiAddress()
	r := c.Replica(n.ID, n.HostID)
	l.Running = r != nil && r.Running && s.HostState(h, ttl) == pb.NodeHostState_UP
	return l.Running && c.Follows(r)
}

// empty reports whether nothing is on a host, and nothing is known to come.
func (s *State) empty(h *Host) bool {
	if h.Replicas.Len() > 0 {
		return false
	}
	left := h.Placed
	for c := range s.Clusters.Values() {
		if left == 0 {
			break
		}
		for i := range c.Nodes {
			if n := &c.Nodes[i]; n.HostID == h.ID() && c.doubtful(n) {
				left--
			}
		}
	}
	return left == 0
}

// HostStatus is Drummer's picture of a NodeHost: suspect after so many ticks
// without a word, dead after ttl.
func (s *State) HostStatus(h *Host, suspect, ttl uint64) *pb.NodeHostStatus {
	status := &pb.NodeHostStatus{
		Host:         h.Info,
		State:        s.HostState(h, ttl),
		LastSeenTick: s.LastSeen(h),
		Nodes:        uint32(h.Running),
	}
	if status.State == pb.NodeHostState_UP {
		switch {
		case s.Silence(h) >= suspect:
			status.State = pb.NodeHostState_SUSPECT
		case h.Mode == pb.HostMode_CORDON:
			status.State = pb.NodeHostState_CORDONED
		case h.Mode == pb.HostMode_DRAIN && s.empty(h):
			status.State = pb.NodeHostState_DRAINED
		case h.Mode == pb.HostMode_DRAIN:
			status.State = pb.NodeHostState_DRAINING
		}
	}
	return status
}
