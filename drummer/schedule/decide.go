// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"cmp"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/db/ordmap"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/budget"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/placement"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/rule"
)

// Decide returns what to do next. It looks at each cluster by itself and takes
// the next single step that its present state calls for, the most urgent ones
// first; what can't be done now waits with a reason and holds nobody else up.
//
// It looks at everything. Who decides again and again keeps a Memory.
func Decide(state *db.State, policy Policy, seed uint64) Plan {
	return new(Memory).Decide(state, policy, seed)
}

// decision is one plan being made.
type decision struct {
	fleet     *fleet.Fleet
	budget    *budget.Budget
	placement *placement.Map

	operations []*pb.Operation
	waiting    waits
	// urgent is what clusters that lack something ask for. The others lack
	// nothing, and may have a misplaced member, or nodes that run with another
	// Raft configuration than they should.
	urgent    []work
	misplaced ordmap.Map[uint64, none]
	outdated  ordmap.Map[uint64, none]
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

// newDecision begins a decision. Before is the fleet of an earlier one, or nil.
func newDecision(before *fleet.Fleet, state *db.State, policy Policy, seed uint64) *decision {
	f := fleet.Next(before, state, policy)
	b := budget.New(f)
	return &decision{fleet: f, budget: b, placement: placement.New(f, b, seed), waiting: newWaits(state), begun: map[uint64]bool{}}
}

// decide makes the plan from what is remembered of healthy clusters and a look at all
// others.
func (d *decision) decide(m *Memory) Plan {
	m.update(d)
	d.placement.CountLeaders(m.leaders)
	d.misplaced, d.outdated, d.waiting.open, d.waiting.shortages = m.misplaced, m.outdated, m.open, m.shortages
	for id := range m.open.All() {
		d.look(d.fleet.State.Clusters.At(id))
	}
	d.repair()
	d.moveMisplaced()
	d.restartOutdated()
	d.balance()
	return Plan{Operations: d.operations, Blown: d.budget.Fuses(), waits: d.waiting}
}

// excluded reports whether nothing is decided about a cluster, whatever it is like: it
// is not Drummer's, or waits for the launch.
func (d *decision) excluded(c *db.Cluster) bool {
	return c.Spec == nil && !c.Deleted || !d.fleet.State.Launched && c.Spec != nil
}

// look finds out what a cluster needs that is not healthy.
func (d *decision) look(c *db.Cluster) {
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

// review notes whether the members of a cluster that lacks nothing live where they
// should.
func (d *decision) review(a *fleet.Cluster) {
	switch improvable, shortage := d.placement.Review(a.Cluster, a.Hosts()); {
	case improvable:
		d.misplaced = d.misplaced.Set(a.ID, none{})
	case shortage != "":
		d.waiting.reasons[a.ID] = shortage // which says more than what is noted already
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
		d.review(a)
		if rule.Outdated(a) != nil {
			d.outdated = d.outdated.Set(a.ID, none{})
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
		d.waits(clusterID, "%s", pauseReason(d.fleet.State))
	}
	return d.fleet.State.Paused
}

func pauseReason(state *db.State) string { return "the end of the pause: " + state.PauseReason }

// hold says what everything that can wait has to wait for: the end of a pause, or a
// fuse that is blown; "": nothing.
func (d *decision) hold() string {
	if state := d.fleet.State; state.Paused {
		return pauseReason(state)
	}
	return d.budget.AnyFuse()
}

// waits notes what a cluster waits for; what it waited for first is what counts.
func (d *decision) waits(clusterID uint64, format string, args ...any) {
	d.waiting.note(clusterID, format, args...)
}
