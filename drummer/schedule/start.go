// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// start starts members whose host is up and which do not run: with the log
// they left there, or for the first time.
func (p *planner) start(a *assessment) {
	for _, m := range a.members() {
		p.startMember(a, m)
	}
}

func (p *planner) startMember(a *assessment, m *member) {
	switch {
	case m.is == down && m.host == nil:
		p.waits(a.ID, "a host at %s, where node %d lives: none was ever heard of", m.Address, m.NodeID)
	case m.is == live || m.host == nil || !m.host.up || m.is == lost || m.Role == pb.MemberRole_WITNESS:
		// it runs, or there is no starting it: that is for repair
	case m.node.Start.InFlight():
		p.waitsFor(a.ID, m.node.Start.Operation)
	case !p.reported(m.node.Start):
		p.waits(a.ID, "node %d on %s to be reported or tried again, %d tries failed",
			m.NodeID, m.host.ID(), m.node.Start.Failures)
	case !m.host.fresh:
		p.waits(a.ID, "a word from %s, to start node %d", m.host.ID(), m.NodeID)
	case !p.free(m.host):
		p.waits(a.ID, "a free slot on %s, to start node %d", m.host.ID(), m.NodeID)
	default:
		p.operate(a, startRequest(a, m), "%s", startReason(a, m))
	}
}

func startRequest(a *assessment, m *member) *pb.Request {
	r := &pb.Request{
		Kind:           pb.RequestKind_START_NODE,
		NodeId:         m.NodeID,
		NodehostId:     m.host.ID(),
		ConfigChangeId: a.Image.CCID,
		Join:           m.node.Join,
	}
	if r.Join == pb.JoinMode_INITIAL {
		r.InitialMembers = map[uint64]string{}
		for _, x := range a.Initial {
			r.InitialMembers[x.NodeID] = x.Address
		}
	}
	return r
}

func startReason(a *assessment, m *member) string {
	switch {
	case m.replica != nil && a.formed() && !a.quorate():
		return "it has its log there and the cluster has no quorum"
	case m.replica != nil:
		return "it has its log there and does not run"
	case m.node.Join == pb.JoinMode_INITIAL:
		return "it is one of the first members and never ran"
	default:
		return "it was added as observer and never ran"
	}
}
