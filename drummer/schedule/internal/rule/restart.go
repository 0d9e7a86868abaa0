// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// A Raft configuration applies when a node starts. When a specification has
// another one than a cluster's nodes run with, they are restarted: one at a
// time, the leader last and after it has handed over, and only while all others
// run and are a majority without it.

// Outdated returns the next member to be restarted, the leader last; or nil.
func Outdated(c *fleet.Cluster) *fleet.Member {
	var found *fleet.Member
	for _, m := range c.Voters {
		if m.Replica == nil || m.Condition != fleet.Live {
			return nil // that comes first
		}
		if fleet.Outdated(c.Cluster, m.Replica) && (found == nil || found.NodeID == c.Leader) {
			found = m
		}
	}
	return found
}

// Unrestartable says why a member can't be restarted now; "": it can.
func Unrestartable(c *fleet.Cluster, m *fleet.Member) string {
	for _, o := range c.Voters {
		if o != m && o.Replica.Role == pb.MemberRole_MEMBER_ROLE_UNSPECIFIED {
			return fmt.Sprintf("node %d on %s to be back at work, before the next node is restarted", o.NodeID, o.Host.ID())
		}
	}
	switch {
	case !c.Complete():
		return "its voters to work: " + c.Doubts()
	case c.Sure-1 < db.Quorum(len(c.Voters)):
		return fmt.Sprintf("the next start of node %d, to take over the Raft configuration: of %d voters none can be restarted without costing the quorum",
			m.NodeID, len(c.Voters))
	default:
		return ""
	}
}

// Restart has a member restarted, or the leader hand over first. The caller has
// seen to it that another try may begin and that the host is free.
func Restart(c *fleet.Cluster, m *fleet.Member) Next {
	reason := fmt.Sprintf("node %d runs with another Raft configuration than the cluster should have", m.NodeID)
	if m.NodeID == c.Leader && c.Config.Failures < maxTransfers {
		if heir := successor(c, m); heir != nil {
			return transfer(c, m, heir, reason)
		}
	}
	if next, proven := proven(c, reason); !proven {
		return next
	}
	s := start(c, m, reason)
	s.Request.Restart = true
	s.Attempt, s.Starts, s.What = nil, nil, fmt.Sprintf("restart node %d", m.NodeID)
	return Next{Step: s}
}
