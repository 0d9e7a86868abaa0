// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/budget"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/placement"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/rule"
)

// Decide returns what to do next. It looks at each cluster by itself and takes
// the next single step that its present state calls for, the most urgent ones
// first; what can't be done now waits with a reason and holds nobody else up.
func Decide(state *db.State, policy Policy, seed uint64) Plan {
	d := newDecision(state, policy, seed)
	for c := range state.Clusters.Values() {
		d.look(c)
	}
	d.repair()
	d.moveMisplaced()
	d.restartOutdated()
	d.balance()
	return d.result()
}

// decision is one plan being made.
type decision struct {
	fleet     *fleet.Fleet
	budget    *budget.Budget
	placement *placement.Map

	operations []*pb.Operation
	waiting    map[uint64]string // by ClusterID
	// urgent is what clusters that lack something ask for. The others lack
	// nothing, and may have a misplaced member, or nodes that run with another
	// Raft configuration than they should.
	urgent    []work
	misplaced []*db.Cluster
	outdated  []*db.Cluster
	// begun are the clusters of the latter that something was decided for.
	begun map[uint64]bool
}

// class is how urgent a piece of work is; lower goes first when there is more
// than the limits allow.
type class int

const (
	restoreQuorum class = iota // start nodes of clusters without a quorum
	restore                    // start nodes of other clusters
	repair                     // replace dead members, reach the size
	launch                     // place and start new clusters
	relocate                   // move members elsewhere, remove surplus ones
	cleanUp                    // remove zombies
)

// work is what one cluster asks for in one class.
type work struct {
	class   class
	cluster *fleet.Cluster
	do      func(*decision, *fleet.Cluster)
}

func newDecision(state *db.State, policy Policy, seed uint64) *decision {
	f := fleet.New(state, policy)
	b := budget.New(f)
	return &decision{fleet: f, budget: b, placement: placement.New(f, b, seed), waiting: map[uint64]string{}, begun: map[uint64]bool{}}
}

// look finds out what a cluster needs.
func (d *decision) look(c *db.Cluster) {
	switch {
	case c.Spec == nil && !c.Deleted: // not Drummer's
		return
	case !d.fleet.State.Launched && c.Spec != nil:
		d.waits(c.ID, "the launch")
		return
	}
	var hosts [db.MaxClusterSize]*fleet.Host
	if healthy, ok := d.fleet.Healthy(c, &hosts); ok {
		d.lookHealthy(c, healthy)
		return
	}
	a := d.assess(c)
	d.budget.CountJoins(a)
	if leader := a.LeadingMember(); leader != nil && leader.Condition == fleet.Live {
		d.placement.CountLeader(leader.Host)
	}
	if r := c.Foreigner(); r != nil && !c.Deleted {
		d.waits(c.ID, "somebody to explain node %d on %s: it is of another Raft group under the same ID", r.NodeID, r.HostID)
		return
	}
	switch {
	case c.Deleted:
	case a.Unformed() && (len(c.Initial) == 0 || a.Dead > 0):
		d.ask(launch, a, (*decision).launch)
	case !a.Formed():
		d.ask(launch, a, (*decision).form)
	default:
		d.lookFormed(a)
	}
	if rule.HasZombie(c) {
		d.ask(cleanUp, a, (*decision).clean)
	}
}

// lookHealthy is look for the clusters that are healthy: in a steady deployment all
// of them, so it does not allocate.
func (d *decision) lookHealthy(c *db.Cluster, healthy fleet.Healthy) {
	if healthy.Leader != nil {
		d.placement.CountLeader(healthy.Leader)
	}
	if healthy.Outdated {
		d.outdated = append(d.outdated, c)
	}
	d.review(c, healthy.Hosts)
}

// review notes whether the members of a cluster that lacks nothing live where they
// should.
func (d *decision) review(c *db.Cluster, hosts []*fleet.Host) {
	switch improvable, shortage := d.placement.Review(c, hosts); {
	case improvable:
		d.misplaced = append(d.misplaced, c)
	case shortage != "":
		d.waiting[c.ID] = shortage
	}
}

func (d *decision) lookFormed(a *fleet.Cluster) {
	if slices.ContainsFunc(a.Members(), func(m *fleet.Member) bool { return m.Condition != fleet.Live }) {
		if a.Quorate() {
			d.ask(restore, a, (*decision).start)
		} else {
			d.ask(restoreQuorum, a, (*decision).start)
		}
	}
	switch {
	case a.Dead > 0 || len(a.Voters) < a.Size():
		d.ask(repair, a, (*decision).change)
	case a.Missing() != 0 || a.Leaving > 0 || len(a.Observers) > 0 || a.Config.InFlight():
		if len(a.Observers) > 0 || len(a.Voters) > a.Size() || a.Config.InFlight() {
			d.budget.CountMove()
		}
		d.ask(relocate, a, (*decision).change)
	case a.Live == len(a.Voters):
		for _, m := range a.Voters {
			if !m.Follows {
				d.waits(a.ID, "a leader that all follow: %s", m.Doubt(a.Cluster))
			}
		}
		d.review(a.Cluster, a.Hosts())
		if rule.Outdated(a) != nil {
			d.outdated = append(d.outdated, a.Cluster)
		}
	}
}

// assess looks at a cluster in full.
func (d *decision) assess(c *db.Cluster) *fleet.Cluster {
	a := d.fleet.Assess(c)
	d.placement.MarkMove(a)
	d.budget.MarkOverdue(a)
	return a
}

func (d *decision) ask(class class, a *fleet.Cluster, do func(*decision, *fleet.Cluster)) {
	d.urgent = append(d.urgent, work{class, a, do})
}

// repair does what is urgent, in the order of classes and clusters.
func (d *decision) repair() {
	slices.SortStableFunc(d.urgent, func(a, b work) int { return cmp.Compare(a.class, b.class) })
	for _, w := range d.urgent {
		if !d.paused(w.cluster.ID) {
			w.do(d, w.cluster)
		}
	}
}

// paused reports whether Drummer is paused, and notes that a cluster waits for
// the end.
func (d *decision) paused(clusterID uint64) bool {
	if d.fleet.State.Paused {
		d.waits(clusterID, "the end of the pause: %s", d.fleet.State.PauseReason)
	}
	return d.fleet.State.Paused
}

// held reports whether what can wait has to: Drummer is paused, or a fuse is
// blown. The cluster waits for that.
func (d *decision) held(clusterID uint64) bool {
	if d.paused(clusterID) {
		return true
	}
	why := d.budget.AnyFuse()
	if why != "" {
		d.waits(clusterID, "%s", why)
	}
	return why != ""
}

// waits notes what a cluster waits for; what it waited for first is what counts.
func (d *decision) waits(clusterID uint64, format string, args ...any) {
	if _, ok := d.waiting[clusterID]; !ok {
		d.waiting[clusterID] = fmt.Sprintf(format, args...)
	}
}

func (d *decision) result() Plan {
	plan := Plan{Operations: d.operations, Blown: d.budget.Fuses()}
	for _, id := range slices.Sorted(maps.Keys(d.waiting)) {
		plan.Waiting = append(plan.Waiting, Waiting{ClusterID: id, For: d.waiting[id]})
	}
	return plan
}
