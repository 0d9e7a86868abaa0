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
	// At is when it begins, since the phase with faults began.
	At time.Duration
	// For is how long it lasts; 0 when the fault is permanent.
	For time.Duration
	// Hosts are the drawn targets; none for a target that is whoever leads.
	Hosts []string
	// Cluster is the drawn Raft cluster of target cluster-leader.
	Cluster uint64
	// Fault is the scenario's entry, and Entry its place in the list.
	Fault *scenarios.Fault
	Entry int
	// Seed draws what the kind itself leaves to chance.
	Seed uint64
}

// Plan draws all injections of a scenario from a seed: the same scenario,
// hosts and seed give the same plan. A host that is to stay dead is no target
// from then on, and targets that are busy with another fault are avoided
// where others are free.
func Plan(s *scenarios.Scenario, hosts []world.Host, seed uint64) []Step {
	p := planner{scenario: s, hosts: hosts, rng: rand.New(rand.NewPCG(seed, 0x6661756c74))}
	var steps []Step
	for i := range s.Faults {
		of := p.drawTimes(&s.Faults[i])
		for j := range of {
			of[j].Entry = i
		}
		steps = append(steps, of...)
	}
	slices.SortStableFunc(steps, func(a, b Step) int { return cmp.Compare(a.At, b.At) })
	for i := range steps {
		steps[i].ID = i + 1
		p.drawTarget(steps, i)
	}
	return steps
}

type planner struct {
	scenario *scenarios.Scenario
	hosts    []world.Host
	rng      *rand.Rand
}

// drawTimes plans the beginnings and lengths of one entry.
func (p *planner) drawTimes(f *scenarios.Fault) []Step {
	before := p.lastStart(f)
	var at []time.Duration
	switch {
	case len(f.At) > 0:
		for _, d := range f.At {
			at = append(at, d.D())
		}
	case f.Count > 0:
		for range f.Count {
			at = append(at, p.between(f.After.D(), before))
		}
	default:
		every := f.Every.D()
		for t := f.After.D() + p.between(0, every); t < before; t += p.between(every/2, every*3/2) {
			at = append(at, t)
		}
	}
	slices.Sort(at)
	if f.AtMost > 0 && len(at) > f.AtMost {
		p.rng.Shuffle(len(at), func(i, j int) { at[i], at[j] = at[j], at[i] })
		at = at[:f.AtMost]
	}
	steps := make([]Step, len(at))
	for i, t := range at {
		steps[i] = Step{At: t, Fault: f, Seed: p.rng.Uint64()}
		if !f.Forever {
			steps[i].For = p.between(f.For.Min.D(), f.For.Max.D())
		}
	}
	return steps
}

// lastStart is the latest beginning that is drawn for an entry: early enough for
// the fault to last as long as it should, if there is time for that at all. One
// that is cut short by the end of the phase shows little.
func (p *planner) lastStart(f *scenarios.Fault) time.Duration {
	after, before := p.scenario.Window(f)
	if fits := p.scenario.Duration - f.For.Max; fits > after {
		before = min(before, fits)
	}
	return before.D()
}

// between draws from [lo, hi].
func (p *planner) between(lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return lo + time.Duration(p.rng.Int64N(int64(hi-lo)+1))
}

// drawTarget decides whom steps[i] strikes, given those before it.
func (p *planner) drawTarget(steps []Step, i int) {
	s := &steps[i]
	switch t := s.Fault.Target; {
	case t.Class == scenarios.DrummerLeader, t.Class == scenarios.Joining:
	case t.Class == scenarios.ClusterLeader:
		s.Cluster = uint64(p.scenario.Clusters.First) + p.rng.Uint64N(uint64(p.scenario.Clusters.Count))
	case t.Number > 0:
		s.Hosts = []string{t.String()}
	default:
		s.Hosts = p.drawHost(steps[:i], *s, t)
	}
}

// drawHost picks a host of the target's class that no earlier step left dead,
// a free one if there is any; nil when none is left alive.
func (p *planner) drawHost(earlier []Step, s Step, t scenarios.Target) []string {
	role := world.NodeHost
	if t.OfDrummers() {
		role = world.Drummer
	}
	var alive, free []string
	for _, h := range p.hosts {
		dead, busy := stateAt(earlier, s, h.Name)
		if h.Role != role || dead {
			continue
		}
		alive = append(alive, h.Name)
		if !busy {
			free = append(free, h.Name)
		}
	}
	if len(free) > 0 {
		alive = free
	}
	if len(alive) == 0 {
		return nil
	}
	return []string{alive[p.rng.IntN(len(alive))]}
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
