// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// launch places a cluster that never was: all members, or none. The start of
// each carries the whole placement. A placement of which a member can't be
// started, and too few were, is given up for another.
func (p *planner) launch(a *assessment) {
	for i := range a.Replicas {
		if r := &a.Replicas[i]; !a.Zombie(r) && a.Node(r.NodeID) == nil {
			p.waits(a.ID, "somebody to explain node %d on %s: it is not Drummer's, though the cluster is",
				r.NodeID, r.HostID)
			return
		}
	}
	a.givenUp = true
	hosts, why := p.placeAll(a)
	if why != "" {
		p.waits(a.ID, "%s", why)
		return
	}
	members := map[uint64]string{}
	for i, h := range hosts {
		members[a.NextNodeID+uint64(i)] = h.Address()
	}
	for i, h := range hosts {
		p.operate(a, &pb.Request{
			Kind:           pb.RequestKind_START_NODE,
			NodeId:         a.NextNodeID + uint64(i),
			NodehostId:     h.ID(),
			Join:           pb.JoinMode_INITIAL,
			InitialMembers: members,
		}, "the cluster is defined and was never placed")
	}
}

// form starts the members of a cluster that was placed but never heard of
// as a whole.
func (p *planner) form(a *assessment) {
	p.start(a)
	p.waits(a.ID, "its members to report%s", whyNot(a))
}
