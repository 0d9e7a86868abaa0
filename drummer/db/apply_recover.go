// SPDX-License-Identifier: Apache-2.0

package db

import (
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// recoverCluster begins a new life of a cluster that lost its quorum for good, with
// one member, which somebody has made of the snapshot of a former one. All former
// nodes are things of the past: what is left of them is removed wherever it turns up.
func (e *edit) recoverCluster(cmd *pb.RecoverCluster) {
	c, h := e.cluster(cmd.GetClusterId()), e.currentHost(cmd.GetNodehostId())
	switch {
	case c == nil || c.Spec == nil:
		e.refuse(pb.CommandCode_NOT_FOUND, "cluster %d is not defined", cmd.GetClusterId())
		return
	case h == nil:
		e.refuse(pb.CommandCode_NOT_FOUND, "host %q is unknown or gone", cmd.GetNodehostId())
		return
	case c.FirstNodeID == cmd.GetNodeId() && len(c.Initial) == 1 && c.Node(cmd.GetNodeId()) != nil:
		return // asked again, or it never had another member
	case c.Replica(cmd.GetNodeId(), h.ID()) == nil:
		e.refuse(pb.CommandCode_NOT_FOUND, "host %s reports no node %d of cluster %d", h.ID(), cmd.GetNodeId(), c.ID)
		return
	}
	for i := range c.Nodes {
		if c.Nodes[i].ID >= cmd.GetNodeId() {
			e.refuse(pb.CommandCode_CONFLICT, "node %d of cluster %d is newer than node %d, or the same", c.Nodes[i].ID, c.ID, cmd.GetNodeId())
			return
		}
	}
	if voters, left := e.s.votersLeft(c); left >= Quorum(voters) {
		e.refuse(pb.CommandCode_CONFLICT, "%d of %d voters of cluster %d are on hosts that are up and have their logs: it gets its quorum back by itself", left, voters, c.ID)
		return
	}
	former := c.Image.String()
	e.endLife(c)
	c.FirstNodeID = cmd.GetNodeId()
	c.Initial = []Member{{NodeID: cmd.GetNodeId(), Address: h.Address(), Role: pb.MemberRole_VOTER}}
	e.addNode(c, Node{ID: cmd.GetNodeId(), HostID: h.ID(), Address: h.Address(), Join: pb.JoinMode_INITIAL, Asked: true, Started: true})
	e.event(&pb.Event{Kind: pb.EventClusterRecovered, ClusterId: c.ID, NodeId: cmd.GetNodeId(), NodehostId: h.ID(), By: shorten(cmd.GetBy())},
		"cluster %d, without a quorum of %s, was recovered%s as node %d on %s alone; its former nodes are given up",
		c.ID, former, by(cmd.GetBy()), cmd.GetNodeId(), h.ID())
}

// votersLeft counts a cluster's voters, and those that run or can be started.
func (s *State) votersLeft(c *Cluster) (voters, left int) {
	for _, m := range c.Image.Members {
		if !Voting(m.Role) {
			continue
		}
		voters++
		n := c.Node(m.NodeID)
		if n == nil {
			continue
		}
		h := s.NodeHost(n)
		if h != nil && s.HostState(h, max(s.TTL, 1)) == pb.NodeHostState_UP && c.Replica(n.ID, n.HostID) != nil {
			left++
		}
	}
	return voters, left
}
