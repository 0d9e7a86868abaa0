// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"slices"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
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
	n := d.misplaced.Len()
	if n == 0 {
		return
	}
	if why := d.hold(); why != "" {
		d.waiting.enqueue(d.misplaced, nil, why)
		return
	}
	first := int(placement.Mix(d.fleet.State.Index) % uint64(n))
	had := map[uint64]bool{}
	for i := 0; i < min(n, maxSearches) && d.budget.MayMove(); i++ {
		id, _ := d.misplaced.Nth((first + i) % n)
		had[id] = true
		d.moveMember(d.assess(d.fleet.State.Clusters.At(id)))
	}
	d.waiting.enqueue(d.misplaced, had, fmt.Sprintf("its turn: a member is misplaced, and %d clusters of %d are being moved", d.budget.Moves(), d.fleet.Policy.BalanceMoves))
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
	if d.outdated.Len() == 0 {
		return
	}
	if why := d.hold(); why != "" {
		d.waiting.enqueue(d.outdated, nil, why)
		return
	}
	starting := d.starting()
	had := map[uint64]bool{}
	for id := range d.outdated.All() {
		if !d.budget.MayRestart() {
			break
		}
		had[id] = true
		if !d.begun[id] && !starting[id] {
			d.restart(d.assess(d.fleet.State.Clusters.At(id)))
		}
	}
	d.waiting.enqueue(d.outdated, had, fmt.Sprintf("its turn: its nodes have to take over another Raft configuration, and %d nodes of %d are being restarted",
		d.budget.Restarts(), d.fleet.Policy.Restarts))
}

// starting are the outdated clusters of which a node is being started, or restarted:
// they wait for that.
func (d *decision) starting() map[uint64]bool {
	starting := map[uint64]bool{}
	for op := range d.fleet.State.Operations.Values() {
		id := op.Request.ClusterId
		if _, outdated := d.outdated.Get(id); !outdated || op.Request.Kind != pb.RequestKind_START_NODE || starting[id] || d.begun[id] {
			continue
		}
		starting[id] = true
		for _, n := range d.fleet.State.Clusters.At(id).Nodes {
			if n.Start.InFlight() {
				d.waits(id, "%s", d.fleet.InFlight(n.Start.Operation))
				break
			}
		}
	}
	return starting
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
	if !d.budget.Calm() || state.Paused || !state.Launched || !d.budget.MayMove() {
		return
	}
	for _, id := range d.carriedBy(d.placement.Uneven()) {
		if !d.budget.MayMove() {
			return
		}
		c := state.Clusters.At(id)
		if c.Spec == nil || d.begun[id] || !d.budget.Reported(c.Config) || !d.placement.OnUneven(c) {
			continue
		}
		if a := d.assess(c); a.Complete() && len(a.Observers) == 0 && (d.moveNode(a) || d.moveLeader(a)) {
			d.budget.CountMove()
		}
	}
}

// carriedBy lists the clusters that may have a node on one of some hosts. A healthy
// one is reported there; what the others have placed is not looked up.
func (d *decision) carriedBy(hosts []*fleet.Host) []uint64 {
	if len(hosts) == 0 {
		return nil
	}
	var ids []uint64
	for _, h := range hosts {
		for id := range h.Replicas.All() {
			ids = append(ids, id)
		}
	}
	for id := range d.waiting.open.All() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
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
