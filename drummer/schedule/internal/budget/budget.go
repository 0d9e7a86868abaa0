// SPDX-License-Identifier: Apache-2.0

// Package budget says how much Drummer may do at a time, and when to try again: the
// limits on operations, joins, moves and restarts, fuses, quarantine and backoff.
// It alone counts against them. It knows neither what is wrong with a cluster nor
// where members should live.
package budget

import (
	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/policy"
)

// Budget is what is left of the limits in one decision: what is in flight is
// counted in, and what is decided as it goes.
type Budget struct {
	fleet  *fleet.Fleet
	policy policy.Policy
	hosts  []hostBudget // by fleet.Host.Index

	operations int // in flight, of all hosts
	moves      int // clusters that are being moved elsewhere
	restarts   int // nodes that are being restarted
	fuses      Fuses
	calm       bool
}

type hostBudget struct {
	operations  int // in flight, that the host carries out
	joins       int // observers on it that are catching up
	quarantined bool
}

// New counts what is in flight.
func New(f *fleet.Fleet) *Budget {
	b := &Budget{fleet: f, policy: f.Policy, hosts: make([]hostBudget, len(f.Hosts))}
	for _, h := range f.Restless {
		b.hosts[h.Index].quarantined = h.Deaths > 0 && f.UpFor(h) < f.Policy.QuarantineAfter(h.Deaths)
	}
	for op := range f.State.Operations.Values() {
		b.Count(op)
	}
	b.fuses = blownFuses(f)
	b.calm = b.isCalm()
	return b
}

// Count takes an operation in flight into account.
func (b *Budget) Count(op *pb.Operation) {
	b.operations++
	if h := b.fleet.Host(op.Request.NodehostId); h != nil {
		b.hosts[h.Index].operations++
	}
	if op.Request.Restart {
		b.restarts++
	}
}

// Free reports whether a host may be given another operation.
func (b *Budget) Free(h *fleet.Host) bool {
	return b.Room(1) && b.hosts[h.Index].operations < b.policy.OperationsPerHost
}

// Room reports whether so many more operations may be in flight in all.
func (b *Budget) Room(operations int) bool {
	return b.operations+operations <= b.policy.OperationsTotal
}

// CountJoins counts the observers of a cluster that are still catching up.
func (b *Budget) CountJoins(c *fleet.Cluster) {
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if m := c.Image.Member(n.ID); m == nil && !b.adding(c, n) || m != nil && m.Role != pb.MemberRole_OBSERVER {
			continue
		}
		if r := c.Replica(n.ID, n.HostID); r != nil && r.CaughtUp {
			continue
		}
		if h := b.fleet.Of(n); h != nil {
			b.CountJoin(h)
		}
	}
}

// adding reports whether an operation in flight adds the node. A node whose
// addition had no result may never become a member.
func (b *Budget) adding(c *fleet.Cluster, n *db.Node) bool {
	op := b.fleet.State.Operations.At(c.Config.Operation)
	return op != nil && op.Request.NodeId == n.ID
}

// CountJoin counts an observer that is to catch up on a host.
func (b *Budget) CountJoin(h *fleet.Host) { b.hosts[h.Index].joins++ }

// Joinable reports whether another observer may catch up on a host.
func (b *Budget) Joinable(h *fleet.Host) bool {
	return b.hosts[h.Index].joins < b.policy.JoinsPerHost
}

// CountMove counts a cluster that is being moved elsewhere.
func (b *Budget) CountMove() { b.moves++ }

// Moves is how many clusters are being moved elsewhere; MayMove reports whether
// another one may be.
func (b *Budget) Moves() int    { return b.moves }
func (b *Budget) MayMove() bool { return b.moves < b.policy.BalanceMoves }

// Restarts is how many nodes are being restarted; MayRestart reports whether
// another one may be.
func (b *Budget) Restarts() int    { return b.restarts }
func (b *Budget) MayRestart() bool { return b.restarts < b.policy.Restarts }

// Quarantined hosts have just come back from the dead, again, and are given
// members only when no other host can take them.
func (b *Budget) Quarantined(h *fleet.Host) bool { return b.hosts[h.Index].quarantined }

// Calm reports whether no host has died, returned or joined lately: only then are
// nodes and leaders moved for balance.
func (b *Budget) Calm() bool { return b.calm }

func (b *Budget) isCalm() bool {
	for _, h := range b.fleet.Restless {
		if !h.Fresh && b.fleet.Silent(h) < b.policy.TTL+b.policy.BalanceCalm || h.Up && !b.Settled(h) {
			return false
		}
	}
	return b.fuses.of(db.Fuse{Fleet: true}) == ""
}

// Settled hosts have been up for so long that members may be moved to them only
// because that would be better.
func (b *Budget) Settled(h *fleet.Host) bool { return b.fleet.UpFor(h) >= b.policy.BalanceCalm }
