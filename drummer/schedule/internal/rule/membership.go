// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// configure has a membership change proposed by a host that runs a voter, other
// than the member that it is about; the leader's, unless that failed before.
func configure(c *fleet.Cluster, r *pb.Request, about *fleet.Member, reason string) Next {
	var able []*fleet.Member
	for _, m := range c.Voters {
		switch {
		case !m.Sure() || m.Role != pb.MemberRole_VOTER || m == about && len(c.Voters) > 1:
		case m.NodeID == c.Leader:
			able = append([]*fleet.Member{m}, able...)
		default:
			able = append(able, m)
		}
	}
	if len(able) == 0 {
		return Next{Wait: "a host that can propose a membership change"}
	}
	h := able[int(c.Config.Failures)%len(able)].Host
	r.ClusterId, r.NodehostId, r.ConfigChangeId = c.ID, h.ID(), c.Image.CCID
	return Next{Step: &Step{Request: r, Reason: reason, Host: h, What: db.Describe(r)}}
}

// AddObserver adds a new member without a vote at a host. Relieves is the healthy
// member that it is to take over from; nil: it replaces a dead one, or is one more.
func AddObserver(c *fleet.Cluster, to *fleet.Host, relieves *fleet.Member, reason string) Next {
	r := &pb.Request{Kind: pb.RequestKind_ADD_OBSERVER, NodeId: c.NextNodeID, TargetAddress: to.Address()}
	if relieves != nil {
		r.Relieves = relieves.NodeID
	}
	return configure(c, r, nil, reason)
}

func promote(c *fleet.Cluster, o *fleet.Member) Next {
	r := &pb.Request{Kind: pb.RequestKind_PROMOTE, NodeId: o.NodeID, TargetAddress: o.Address}
	return configure(c, r, o, "it has caught up and "+Purpose(c))
}

func remove(c *fleet.Cluster, m *fleet.Member, reason string) Next {
	r := &pb.Request{Kind: pb.RequestKind_REMOVE_NODE, NodeId: m.NodeID, TargetAddress: m.Address}
	return configure(c, r, m, reason)
}

// Purpose says what another voter is for.
func Purpose(c *fleet.Cluster) string {
	if m := c.Worst(); m != nil && m.Gone() {
		return m.Why
	}
	if m := c.Leaver(); m != nil {
		return m.Why
	}
	return size(c)
}

func size(c *fleet.Cluster) string {
	return fmt.Sprintf("the cluster has %d voters of %d", len(c.Voters), c.Size())
}
