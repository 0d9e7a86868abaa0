// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// Ready reports whether another try of something may begin.
func (b *Budget) Ready(a db.Attempt) bool {
	return !a.InFlight() && b.fleet.State.Tick >= a.Ended+b.policy.BackoffAfter(a.Failures)
}

// Reported reports whether another try of something that a host has to report may
// begin: after a success too, the report is given time to arrive.
func (b *Budget) Reported(a db.Attempt) bool {
	return b.Ready(a) && (a.Ended == 0 || b.fleet.State.Tick >= a.Ended+b.policy.Backoff)
}

// MayStart reports whether a node that has stopped may be started again: at once the
// first time, and later each time if it stops soon after each start.
func (b *Budget) MayStart(n *db.Node) bool {
	return b.fleet.State.Tick >= b.StartsAt(n)
}

// StartsAt is the tick from which on a node may be started again.
func (b *Budget) StartsAt(n *db.Node) uint64 {
	if n.RanSince == 0 {
		return 0
	}
	return n.RanSince + b.policy.StartAfter(n.Stops)
}

// JoinPause says why no observer may be added to a cluster yet after others have
// failed; "": one may.
func (b *Budget) JoinPause(c *fleet.Cluster) string {
	if b.joinReady(c) {
		return ""
	}
	return fmt.Sprintf("tick %d, to try again with a new member after %d failed", b.joinAt(c), c.JoinFailures)
}

// MovePause says why no member may be moved by choice yet; "": one may.
func (b *Budget) MovePause(c *fleet.Cluster) string {
	if b.Reported(c.Config) && b.joinReady(c) {
		return ""
	}
	return fmt.Sprintf("another try to move a misplaced member, after %d failed", c.Config.Failures+c.JoinFailures)
}

func (b *Budget) joinReady(c *fleet.Cluster) bool { return b.fleet.State.Tick >= b.joinAt(c) }

func (b *Budget) joinAt(c *fleet.Cluster) uint64 {
	return c.JoinFailed + b.policy.BackoffAfter(c.JoinFailures)
}

// MarkOverdue notes which observers of a cluster took too long to start and catch
// up.
func (b *Budget) MarkOverdue(c *fleet.Cluster) {
	limit := b.policy.JoinLimitAfter(c.JoinFailures)
	for _, o := range c.Observers {
		if !o.CaughtUp() && b.fleet.State.Tick >= o.Node.MemberSince+limit {
			o.Overdue = fmt.Sprintf("observer %d on %s did not catch up within %d ticks", o.NodeID, o.Where(), limit)
		}
	}
}
