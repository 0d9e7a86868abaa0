// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// class is how urgent a piece of work is; lower goes first when there is more
// than the limits allow.
type class int

const (
	restoreQuorum class = iota // start nodes of clusters without a quorum
	restore                    // start nodes of other clusters
	repair                     // replace dead members, reach the size
	launch                     // place and start new clusters
	misplaced                  // move members elsewhere, remove surplus ones
	cosmetic                   // remove zombies
)

// work is what one cluster asks for in one class. It is done in the order of
// classes and clusters, as far as the limits allow.
type work struct {
	class class
	a     *assessment
	do    func(*planner, *assessment)
}

// planner collects a plan.
type planner struct {
	*fleet
	plan    Plan
	work    []work
	waiting map[uint64]string
	moving  int // clusters that are being moved elsewhere
	// misplaced are clusters that lack nothing, and may have a member that
	// would better live elsewhere. domains belongs to inviting, shortages to
	// shortOf.
	misplaced []*db.Cluster
	domains   map[string][]string
	shortages map[shortage]string
	// outdated are clusters that lack nothing, with nodes that run with another
	// Raft configuration than they should.
	outdated []*db.Cluster
	// begun are the clusters of either kind that something was decided for.
	begun []uint64
}

func newPlanner(f *fleet) *planner {
	return &planner{fleet: f, waiting: map[uint64]string{}, domains: map[string][]string{}, shortages: map[shortage]string{}}
}

// Decide returns what to do next. It looks at each cluster by itself and takes
// the next single step that its present state calls for; what can't be done
// now waits with a reason and holds nobody else up.
func Decide(state *db.State, policy Policy, seed uint64) Plan {
	p := newPlanner(newFleet(state, policy, seed))
	for c := range state.Clusters.Values() {
		switch {
		case c.Spec == nil && !c.Deleted: // not ours
		case !state.Launched && c.Spec != nil:
			p.waits(c.ID, "the launch")
		case !p.healthy(c):
			p.look(c)
		}
	}
	slices.SortStableFunc(p.work, func(a, b work) int { return cmp.Compare(a.class, b.class) })
	for _, w := range p.work {
		if !p.paused(w.a.ID) {
			w.do(p, w.a)
		}
	}
	p.rectify()
	p.renew()
	p.balance()
	for _, id := range slices.Sorted(maps.Keys(p.waiting)) {
		p.plan.Waiting = append(p.plan.Waiting, Waiting{ClusterID: id, For: p.waiting[id]})
	}
	p.plan.Blown = p.fuses
	return p.plan
}

// look finds out what a cluster needs.
func (p *planner) look(c *db.Cluster) {
	a := p.assess(c)
	p.countJoins(a)
	p.countLeader(a)
	if r := c.Foreigner(); r != nil && !c.Deleted {
		p.waits(c.ID, "somebody to explain node %d on %s: it is of another Raft group under the same ID", r.NodeID, r.HostID)
		return
	}
	switch {
	case c.Deleted:
	case a.Unformed() && (len(c.Initial) == 0 || a.dead > 0):
		p.add(launch, a, (*planner).launch)
	case !a.formed():
		p.add(launch, a, (*planner).form)
	default:
		p.lookFormed(a)
	}
	if slices.ContainsFunc(c.Replicas, func(r db.Replica) bool { return c.Zombie(&r) }) {
		p.add(cosmetic, a, (*planner).clean)
	}
}

func (p *planner) lookFormed(a *assessment) {
	members := a.members()
	if slices.ContainsFunc(members, func(m *member) bool { return m.is != live }) {
		if a.quorate() {
			p.add(restore, a, (*planner).start)
		} else {
			p.add(restoreQuorum, a, (*planner).start)
		}
	}
	switch {
	case a.dead > 0 || len(a.voters) < a.size():
		p.add(repair, a, (*planner).repair)
	case a.missing() != 0 || a.leaving > 0 || len(a.observers) > 0 || a.Config.InFlight():
		if len(a.observers) > 0 || len(a.voters) > a.size() || a.Config.InFlight() {
			p.moving++
		}
		p.add(misplaced, a, (*planner).repair)
	case a.live == len(a.voters):
		for _, m := range a.voters {
			if !m.follows {
				p.waits(a.ID, "a leader that all follow: %s", m.doubt(a.Cluster))
			}
		}
		if picky(a.Spec) {
			p.consider(a.Cluster, hostsOf(a.voters))
		}
		if a.nextOutdated() != nil {
			p.outdated = append(p.outdated, a.Cluster)
		}
	}
}

func (p *planner) add(class class, a *assessment, do func(*planner, *assessment)) {
	p.work = append(p.work, work{class: class, a: a, do: do})
}

// countJoins counts the observers that are still catching up.
func (p *planner) countJoins(a *assessment) {
	for i := range a.Nodes {
		n := &a.Nodes[i]
		if m := a.Image.Member(n.ID); m == nil && !p.adding(a, n) || m != nil && m.Role != pb.MemberRole_OBSERVER {
			continue
		}
		if r := a.Replica(n.ID, n.HostID); r != nil && r.CaughtUp {
			continue
		}
		if h := p.of(n); h != nil {
			h.joins++
		}
	}
}

// adding reports whether an operation in flight adds the node. A node whose
// addition had no result may never become a member.
func (p *planner) adding(a *assessment, n *db.Node) bool {
	op := p.state.Operations.At(a.Config.Operation)
	return op != nil && op.Request.NodeId == n.ID
}

// paused reports whether Drummer is paused, and notes that a cluster waits for
// the end.
func (p *planner) paused(clusterID uint64) bool {
	if p.state.Paused {
		p.waits(clusterID, "the end of the pause: %s", p.state.PauseReason)
	}
	return p.state.Paused
}

// held reports whether what can wait has to: Drummer is paused, or a fuse is
// blown. The cluster waits for that.
func (p *planner) held(clusterID uint64) bool {
	if p.paused(clusterID) {
		return true
	}
	why := p.fuses.any()
	if why != "" {
		p.waits(clusterID, "%s", why)
	}
	return why != ""
}

// waits notes what a cluster waits for; its most urgent work speaks.
func (p *planner) waits(clusterID uint64, format string, args ...any) {
	if _, ok := p.waiting[clusterID]; !ok {
		p.waiting[clusterID] = fmt.Sprintf(format, args...)
	}
}

// waitsFor notes that a cluster waits for an operation in flight.
func (p *planner) waitsFor(clusterID, operation uint64) {
	if op := p.state.Operations.At(operation); op != nil {
		p.waits(clusterID, "operation %d: %s", operation, db.Describe(op.Request))
	}
}

// operate adds an operation to the plan.
func (p *planner) operate(a *assessment, r *pb.Request, format string, args ...any) {
	r.ClusterId = a.ID
	op := &pb.Operation{
		Request:        r,
		Reason:         fmt.Sprintf(format, args...),
		DecidedAtIndex: p.state.Index,
		DecidedAtTick:  p.state.Tick,
		DeadlineTick:   p.state.Tick + p.policy.OperationDeadline,
	}
	p.plan.Operations = append(p.plan.Operations, op)
	p.count(op)
	p.waits(a.ID, "%s", db.Describe(r))
}
