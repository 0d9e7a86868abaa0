// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// A Raft configuration applies when a node starts. When a specification has
// another one than a cluster's nodes run with, they are restarted: one at a
// time, the leader last and after it has handed over, and only while all others
// run and are a majority without it.

// outdated reports whether a replica runs with another Raft configuration than
// its cluster should have.
func outdated(c *db.Cluster, r *db.Replica) bool {
	return r.RaftDigest != 0 && r.RaftDigest != c.RaftDigest
}

// renew begins restarts, once everything more urgent is decided.
func (p *planner) renew() {
	restarting := 0
	for op := range p.state.Operations.Values() {
		if op.Request.Restart {
			restarting++
		}
	}
	for _, c := range p.outdated {
		switch {
		case p.held(c.ID):
		case slices.Contains(p.begun, c.ID) || p.starting(c):
		case restarting >= p.policy.Restarts:
			p.waits(c.ID, "its turn: its nodes have to take over another Raft configuration, and %d nodes of %d are being restarted",
				restarting, p.policy.Restarts)
		default:
			restarting += p.restart(p.assess(c))
		}
	}
}

// starting reports whether a node of a cluster is being started, or restarted,
// and notes that the cluster waits for it.
func (p *planner) starting(c *db.Cluster) bool {
	for i := range c.Nodes {
		if n := &c.Nodes[i]; n.Start.InFlight() {
			p.waitsFor(c.ID, n.Start.Operation)
			return true
		}
	}
	return false
}

// restart has the next member restarted, or the leader hand over, if that costs
// no quorum, and counts the restarts: none or one.
func (p *planner) restart(a *assessment) int {
	m := a.nextOutdated()
	if m == nil {
		return 0
	}
	for _, o := range a.voters {
		if o != m && o.replica.Role == pb.MemberRole_MEMBER_ROLE_UNSPECIFIED {
			p.waits(a.ID, "node %d on %s to be back at work, before the next node is restarted", o.NodeID, o.host.ID())
			return 0
		}
	}
	switch reason := fmt.Sprintf("node %d runs with another Raft configuration than the cluster should have", m.NodeID); {
	case !a.complete():
		p.waits(a.ID, "its voters to work: %s", a.doubts())
	case a.sure-1 < db.Quorum(len(a.voters)):
		p.waits(a.ID, "the next start of node %d, to take over the Raft configuration: of %d voters none can be restarted without costing the quorum",
			m.NodeID, len(a.voters))
	case !p.reported(m.node.Start):
		p.waits(a.ID, "node %d on %s to be reported or restarted again, %d tries failed", m.NodeID, m.host.ID(), m.node.Start.Failures)
	case !p.free(m.host):
		p.waits(a.ID, "a free slot on %s, to restart node %d", m.host.ID(), m.NodeID)
	case m.NodeID == a.Leader && a.Config.Failures < maxTransfers:
		p.handOver(a, m, reason)
	case !p.proven(a, "%s", reason):
		p.begun = append(p.begun, a.ID)
	default:
		r := startRequest(a, m)
		r.Restart = true
		p.operate(a, r, "%s", reason)
		p.begun = append(p.begun, a.ID)
		return 1
	}
	return 0
}

// nextOutdated returns the next member to be restarted, the leader last; or nil.
func (a *assessment) nextOutdated() *member {
	var found *member
	for _, m := range a.voters {
		if m.replica == nil || m.is != live {
			return nil // that comes first
		}
		if outdated(a.Cluster, m.replica) && (found == nil || found.NodeID == a.Leader) {
			found = m
		}
	}
	return found
}

// handOver has a leader transfer its leadership to another voter.
func (p *planner) handOver(a *assessment, from *member, reason string) {
	for _, heir := range a.voters {
		if heir != from && heir.Role == pb.MemberRole_VOTER {
			p.transfer(a, from, heir, "%s", reason)
			p.begun = append(p.begun, a.ID)
			return
		}
	}
}
