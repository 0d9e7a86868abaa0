// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Step is one planned injection.
type Step struct {
	ID int // from 1, in order of At
	// At is when it begins, since the phase with faults began; of a step that
	// follows others, when it does if nothing has to wait.
	At time.Duration
	// For is how long it lasts; 0 when the fault is permanent, or instant.
	For time.Duration
	// Follows are the IDs of steps that must be over before, for at least Gap.
	Follows []int
	Gap     time.Duration
	// Exact says that the scenario gives the time.
	Exact bool
	// When is the moment at which it begins, from At on; empty: at At.
	When scenarios.Moment
	// Hosts are the drawn targets; none for a target by its part at the time.
	Hosts []string
	// Present says that of Hosts those are struck that are there.
	Present bool
	// Cluster is the drawn Raft cluster of a target that is by its part in one.
	Cluster uint64
	// Together is the same number for steps that begin together or not at all,
	// Alone for those during which no others are at work; 0: none.
	Together, Alone int
	// Fault is the scenario's fault, Entry its place in Scenario.Leaves, and
	// Parameters are its parameters with what was drawn from ranges.
	Fault      *scenarios.Fault
	Entry      int
	Parameters any
	// Seed draws what the kind itself leaves to chance, and who plays a part.
	Seed uint64
}

// Plan draws all injections of a scenario from a seed: the same scenario,
// hosts and seed give the same plan. A host that is to stay dead is no target
// from then on, and targets that are busy with another fault are avoided
// where others are free.
func Plan(s *scenarios.Scenario, hosts []world.Host, seed uint64) []Step {
	p := planner{scenario: s, hosts: hosts, rng: rand.New(rand.NewPCG(seed, 0x6661756c74)), entries: map[*scenarios.Fault]int{}}
	for i, l := range s.Leaves() {
		p.entries[l.Fault] = i
	}
	for _, e := range s.Entries() {
		p.planEntry(e)
	}
	p.sort()
	for i := range p.steps {
		p.drawTarget(p.steps, i)
	}
	return p.steps
}

type planner struct {
	scenario *scenarios.Scenario
	hosts    []world.Host
	rng      *rand.Rand
	entries  map[*scenarios.Fault]int // places of the leaves
	steps    []Step                   // Follows are places in here until they are sorted
	sets     int                      // numbers given to Together and Alone
}

// sort puts the steps in order and numbers them.
func (p *planner) sort() {
	order := make([]int, len(p.steps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p.steps[a].At, p.steps[b].At) })
	ids := make([]int, len(order))
	sorted := make([]Step, len(order))
	for i, was := range order {
		sorted[i], ids[was] = p.steps[was], i+1
		sorted[i].ID = i + 1
	}
	for i := range sorted {
		for j, was := range sorted[i].Follows {
			sorted[i].Follows[j] = ids[was]
		}
	}
	p.steps = sorted
}

// planEntry plans all starts of an entry.
func (p *planner) planEntry(e scenarios.FaultEntry) {
	f := e.Fault
	if f.When != "" {
		from, _ := e.Window()
		at := place{at: from.D(), when: f.When}
		for range max(1, f.AtMost) {
			at.follows, at.at = p.plan(f, at)
		}
		return
	}
	for _, t := range p.drawTimes(e) {
		p.plan(f, place{at: t, exact: len(f.At) > 0})
	}
}

// place is where in the plan a fault has its place.
type place struct {
	at              time.Duration
	follows         []int
	gap             time.Duration
	exact           bool
	when            scenarios.Moment
	together, alone int
}

// then is the place behind steps that are over at a time.
func (at place) then(follows []int, over, gap time.Duration) place {
	return place{at: over + gap, follows: follows, gap: gap, alone: at.alone}
}

// plan plans one start of a fault, as often as its times say. It returns the steps
// with whose end it is over, and when that is.
func (p *planner) plan(f *scenarios.Fault, at place) (last []int, over time.Duration) {
	if f.Probability > 0 && p.rng.Float64() >= f.Probability.Fraction() {
		return at.follows, at.at
	}
	if f.Exclusive && at.alone == 0 {
		at.alone = p.newSet()
	}
	for i := range max(1, f.Times) {
		if i > 0 {
			at = at.then(last, over, p.within(f.Gap))
		}
		last, over = p.planOnce(f, at)
	}
	return last, over
}

func (p *planner) planOnce(f *scenarios.Fault, at place) (last []int, over time.Duration) {
	switch {
	case len(f.Sequence) > 0:
		for i := range f.Sequence {
			if i > 0 {
				at = at.then(last, over, p.within(f.Gap))
			}
			last, over = p.plan(&f.Sequence[i], at)
		}
		return last, over
	case len(f.Together) > 0:
		if at.together == 0 {
			at.together = p.newSet()
		}
		for i := range f.Together {
			ends, end := p.plan(&f.Together[i], at)
			last, over = append(last, ends...), max(over, end)
		}
		slices.Sort(last)
		return slices.Compact(last), over
	case len(f.OneOf) > 0:
		return p.plan(&f.OneOf[p.rng.IntN(len(f.OneOf))], at)
	case f.Target.Amount.Word == scenarios.Each:
		for i, h := range p.candidates(f.Target) {
			if i > 0 {
				at = at.then(last, over, p.within(f.Gap))
			}
			last, over = p.planStep(f, at, h)
		}
		return last, over
	}
	return p.planStep(f, at)
}

// planStep plans one injection. Its hosts are drawn later, unless they are given.
func (p *planner) planStep(f *scenarios.Fault, at place, hosts ...string) (last []int, over time.Duration) {
	s := Step{
		At: at.at, Follows: slices.Clone(at.follows), Gap: at.gap, Exact: at.exact, When: at.when, Hosts: hosts,
		Together: at.together, Alone: at.alone, Fault: f, Entry: p.entries[f], Seed: p.rng.Uint64(),
	}
	if !f.Forever {
		s.For = p.within(f.For)
	}
	s.Parameters = drawParameters(f.Parameters, rand.New(rand.NewPCG(s.Seed, 1)))
	p.steps = append(p.steps, s)
	return []int{len(p.steps) - 1}, s.At + s.For
}

func (p *planner) newSet() int {
	p.sets++
	return p.sets
}

// drawTimes draws when an entry begins.
func (p *planner) drawTimes(e scenarios.FaultEntry) []time.Duration {
	f := e.Fault
	after, before := p.window(e)
	var at []time.Duration
	switch {
	case len(f.At) > 0:
		for _, d := range f.At {
			at = append(at, (e.From + d).D())
		}
	case f.Count > 0:
		for range f.Count {
			at = append(at, p.between(after, before))
		}
	default:
		every := f.Every.D()
		for t := after + p.between(0, every); t < before; t += p.between(every/2, every*3/2) {
			at = append(at, t)
		}
	}
	slices.Sort(at)
	if f.AtMost > 0 && len(at) > f.AtMost {
		p.rng.Shuffle(len(at), func(i, j int) { at[i], at[j] = at[j], at[i] })
		at = at[:f.AtMost]
	}
	return at
}

// window is when an entry may begin: early enough to last as long as it should, if
// there is time for that at all. A fault that is cut short by the end of the phase
// shows little.
func (p *planner) window(e scenarios.FaultEntry) (after, before time.Duration) {
	from, to := e.Window()
	if fits := e.To - scenarios.Duration(p.longest(e.Fault)); fits > from {
		to = min(to, fits)
	}
	return from.D(), to.D()
}

// longest is how long a fault may take at most if it has to wait for nothing.
func (p *planner) longest(f *scenarios.Fault) time.Duration {
	gap, one, all := f.Gap.Max.D(), time.Duration(0), time.Duration(0)
	for i, inner := range slices.Concat(f.Sequence, f.Together, f.OneOf) {
		t := p.longest(&inner)
		one = max(one, t)
		if all += t; i > 0 {
			all += gap
		}
	}
	once := f.For.Max.D()
	switch {
	case len(f.Sequence) > 0:
		once = all
	case one > 0:
		once = one
	case f.Target.Amount.Word == scenarios.Each:
		n := time.Duration(len(p.candidates(f.Target)))
		once = n*once + max(0, n-1)*gap
	}
	n := time.Duration(max(1, f.Times))
	return n*once + (n-1)*gap
}

// between draws from [lo, hi].
func (p *planner) between(lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return lo + time.Duration(p.rng.Int64N(int64(hi-lo)+1))
}

// within draws from a range.
func (p *planner) within(r scenarios.Range) time.Duration { return p.between(r.Min.D(), r.Max.D()) }

// drawTarget decides whom steps[i] strikes, given those before it.
func (p *planner) drawTarget(steps []Step, i int) {
	s := &steps[i]
	switch t := s.Fault.Target; {
	case len(s.Hosts) > 0: // one of each
		if dead, _ := stateAt(steps[:i], *s, s.Hosts[0]); dead {
			s.Hosts = nil
		}
	case t.OfCluster():
		if s.Cluster = t.Cluster; s.Cluster == 0 && s.When == "" {
			s.Cluster = uint64(p.scenario.Clusters.First) + p.rng.Uint64N(uint64(p.scenario.Clusters.Count))
		}
	case len(t.Hosts()) > 0:
		s.Hosts = t.Hosts()
	case t.Class == scenarios.AnyHost || t.Class == scenarios.AnyNodeHost || t.Class == scenarios.AnyDrummer:
		s.Hosts = p.drawHosts(steps[:i], *s, t)
		s.Present = t.Amount.Word == scenarios.All
	}
}

// drawHosts picks hosts of the target's class and place that no earlier step left
// dead, free ones as far as there are; nil when none is left alive.
func (p *planner) drawHosts(earlier []Step, s Step, t scenarios.Target) []string {
	t.Place = p.drawPlace(t.Place)
	all := p.candidates(t)
	var alive, free []string
	for _, h := range all {
		dead, busy := stateAt(earlier, s, h)
		if dead {
			continue
		}
		alive = append(alive, h)
		if !busy {
			free = append(free, h)
		}
	}
	if t.Amount == (scenarios.Amount{}) {
		if len(free) > 0 {
			alive = free
		}
		if len(alive) == 0 {
			return nil
		}
		return []string{alive[p.rng.IntN(len(alive))]}
	}
	n := min(len(alive), t.Amount.Number(len(all), p.rng.Uint64()))
	p.rng.Shuffle(len(alive), func(i, j int) { alive[i], alive[j] = alive[j], alive[i] })
	slices.SortStableFunc(alive, func(a, b string) int { // the free ones first
		return cmp.Compare(slices.Index([]bool{true, false}, slices.Contains(free, a)), slices.Index([]bool{true, false}, slices.Contains(free, b)))
	})
	picked := alive[:n]
	slices.SortFunc(picked, func(a, b string) int { return cmp.Compare(slices.Index(all, a), slices.Index(all, b)) })
	return picked
}

// drawPlace draws a place that the scenario leaves open.
func (p *planner) drawPlace(place string) string {
	regions, racks, _ := p.scenario.Deployment.Places()
	switch {
	case place == scenarios.AnyRegion && len(regions) > 0:
		return regions[p.rng.IntN(len(regions))]
	case place == scenarios.AnyRack && len(racks) > 0:
		return racks[p.rng.IntN(len(racks))]
	}
	return place
}

// candidates lists the hosts of a target's class and place, in their order.
func (p *planner) candidates(t scenarios.Target) []string {
	var names []string
	for _, h := range p.hosts {
		ofClass := t.Class == scenarios.AnyHost || string(t.Class) == string(h.Role)
		_, number := scenarios.SplitHost(h.Name)
		if ofClass && (t.Place == "" || p.scenario.Deployment.In(number, t.Place)) {
			names = append(names, h.Name)
		}
	}
	return names
}

// stateAt returns what earlier steps have done to a host by the time of s: dead
// permanently, or still busy with another fault.
func stateAt(earlier []Step, s Step, host string) (dead, busy bool) {
	for _, e := range earlier {
		if !slices.Contains(e.Hosts, host) {
			continue
		}
		dead = dead || e.Fault.Forever
		busy = busy || s.At <= e.At+e.For
	}
	return dead, busy
}
