// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"fmt"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// Start starts a member whose host is up and which does not run: with the log it
// left there, or for the first time.
func Start(c *fleet.Cluster, m *fleet.Member) Next {
	switch {
	case m.Condition == fleet.Down && m.Host == nil:
		return wait("a host at %s, where node %d lives: none was ever heard of", m.Address, m.NodeID)
	case m.Condition == fleet.Live || m.Host == nil || !m.Host.Up || m.Condition == fleet.Lost || m.Role == pb.MemberRole_WITNESS:
		return Next{} // it runs, or there is no starting it: that is for repair
	case m.Node.Start.InFlight():
		return Next{Wait: c.Fleet.InFlight(m.Node.Start.Operation)}
	}
	s := start(c, m, startReason(c, m))
	s.Retry = fmt.Sprintf("node %d on %s to be reported or tried again, %d tries failed", m.NodeID, m.Host.ID(), m.Node.Start.Failures)
	s.NeedsWord = true
	s.What = fmt.Sprintf("start node %d", m.NodeID)
	return Next{Step: s}
}

// start is the step that starts a member, another try of its last start.
func start(c *fleet.Cluster, m *fleet.Member, reason string) *Step {
	r := &pb.Request{
		Kind:           pb.RequestKind_START_NODE,
		NodeId:         m.NodeID,
		NodehostId:     m.Host.ID(),
		ConfigChangeId: c.Image.CCID,
		Join:           m.Node.Join,
	}
	if r.Join == pb.JoinMode_INITIAL {
		r.InitialMembers = map[uint64]string{}
		for _, x := range c.Initial {
			r.InitialMembers[x.NodeID] = x.Address
		}
	}
	return &Step{Request: r, Reason: reason, Host: m.Host, Attempt: &m.Node.Start, Starts: m.Node}
}

func startReason(c *fleet.Cluster, m *fleet.Member) string {
	switch {
	case m.Replica != nil && c.Formed() && !c.Quorate():
		return "it has its log there and the cluster has no quorum"
	case m.Replica != nil:
		return "it has its log there and does not run"
	case m.Node.Join == pb.JoinMode_INITIAL:
		return "it is one of the first members and never ran"
	default:
		return "it was added as observer and never ran"
	}
}
