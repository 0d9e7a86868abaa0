// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/placement"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/rule"
)

// What is here is done for clusters that lack nothing, once everything more urgent
// is decided.

// maxSearches bounds the clusters that one decision searches a better place
// for: there may be many that no host suits.
const maxSearches = 50

// moveMisplaced begins moves of misplaced members. It begins with another cluster
// each time, so that none is left out permanently.
func (d *decision) moveMisplaced() {
	n := len(d.misplaced)
	if n == 0 {
		return
	}
	first := int(placement.Mix(d.fleet.State.Index) % uint64(n))
	for i := range n {
		c := d.misplaced[(first+i)%n]
		switch {
		case d.held(c.ID):
		case !d.budget.MayMove() || i >= maxSearches:
			d.waits(c.ID, "its turn: a member is misplaced, and %d clusters of %d are being moved", d.budget.Moves(), d.fleet.Policy.BalanceMoves)
		default:
			d.moveMember(d.assess(c))
		}
	}
}

// moveMember begins the move of a cluster's misplaced member, if there is one.
func (d *decision) moveMember(c *fleet.Cluster) {
	if !c.Complete() {
		d.waits(c.ID, "its voters to work: %s", c.Doubts())
		return
	}
	if why := d.budget.MovePause(c); why != "" {
		d.waits(c.ID, "%s", why)
		return
	}
	from, to := d.placement.Better(c)
	if to == nil {
		if why := d.placement.Shortage(c); why != "" {
			d.waits(c.ID, "%s", why)
		}
		return
	}
	if d.take(c, rule.AddObserver(c, to, from, placement.WhyBetter(c, from, to))) {
		d.countMove(from.Host, to)
		d.budget.CountMove()
		d.begun[c.ID] = true
	}
}

func (d *decision) countMove(from, to *fleet.Host) {
	d.placement.CountMove(from, to)
	d.budget.CountJoin(to)
}

// restartOutdated begins restarts of nodes that run with another Raft
// configuration than they should.
func (d *decision) restartOutdated() {
	for _, c := range d.outdated {
		switch {
		case d.held(c.ID):
		case d.begun[c.ID] || d.starting(c.ID):
		case !d.budget.MayRestart():
			d.waits(c.ID, "its turn: its nodes have to take over another Raft configuration, and %d nodes of %d are being restarted",
				d.budget.Restarts(), d.fleet.Policy.Restarts)
		default:
			d.restart(d.assess(c))
		}
	}
}

// starting reports whether a node of a cluster is being started, or restarted,
// and notes that the cluster waits for it.
func (d *decision) starting(clusterID uint64) bool {
	for _, n := range d.fleet.State.Clusters.At(clusterID).Nodes {
		if n.Start.InFlight() {
			d.waits(clusterID, "%s", d.fleet.InFlight(n.Start.Operation))
			return true
		}
	}
	return false
}

// restart has the next member restarted, if that costs no quorum.
func (d *decision) restart(c *fleet.Cluster) {
	m := rule.Outdated(c)
	if m == nil {
		return
	}
	switch why := rule.Unrestartable(c, m); {
	case why != "":
		d.waits(c.ID, "%s", why)
	case !d.budget.Reported(m.Node.Start):
		d.waits(c.ID, "node %d on %s to be reported or restarted again, %d tries failed", m.NodeID, m.Host.ID(), m.Node.Start.Failures)
	case !d.budget.Free(m.Host):
		d.waits(c.ID, "a free slot on %s, to restart node %d", m.Host.ID(), m.NodeID)
	default:
		d.take(c, rule.Restart(c, m))
		d.begun[c.ID] = true
	}
}

// balance begins moves of nodes and leaders to hosts that carry, or lead, much
// less.
func (d *decision) balance() {
	state := d.fleet.State
	if !d.budget.Calm() || state.Paused || !state.Launched || !d.placement.Uneven() {
		return
	}
	for c := range state.Clusters.Values() {
		if !d.budget.MayMove() {
			return
		}
		if c.Spec == nil || d.begun[c.ID] || !d.budget.Reported(c.Config) || !d.placement.OnUneven(c) {
			continue
		}
		if a := d.assess(c); a.Complete() && len(a.Observers) == 0 && (d.moveNode(a) || d.moveLeader(a)) {
			d.budget.CountMove()
		}
	}
}

func (d *decision) moveNode(c *fleet.Cluster) bool {
	from, to, why := d.placement.Lighter(c)
	if to == nil || !d.budget.Free(from.Host) || !d.take(c, rule.AddObserver(c, to, from, why)) {
		return false
	}
	d.countMove(from.Host, to)
	return true
}

func (d *decision) moveLeader(c *fleet.Cluster) bool {
	from, to, why := d.placement.Heir(c)
	if to == nil || d.fleet.State.Tick < c.Config.Ended+d.fleet.Policy.BalanceCalm || !d.budget.Free(from.Host) {
		return false
	}
	d.take(c, rule.Transfer(c, from, to, why))
	d.placement.CountLeadership(from.Host, to.Host)
	return true
}
