// SPDX-License-Identifier: Apache-2.0

package shrink

import (
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// moments lists all times of a scenario whose faults and operations are given,
// each once, in order: 0, the begins and ends of faults, actions, operations, and
// the end of the phase with faults. ok is false if something is drawn.
func moments(s *scenarios.Scenario) (all []time.Duration, ok bool) {
	if s.Warmup != 0 || len(s.Phases) > 0 || len(s.Workload.Operations) == 0 {
		return nil, false
	}
	all = []time.Duration{0, s.Duration.D()}
	for _, f := range s.Faults {
		if len(f.At) != 1 || f.Kind == "" || f.For.Min != f.For.Max {
			return nil, false
		}
		all = append(all, f.At[0].D(), (f.At[0] + f.For.Min).D())
	}
	for _, a := range s.Actions {
		all = append(all, a.At.D())
	}
	for _, o := range s.Workload.Operations {
		all = append(all, o.At.D())
	}
	slices.Sort(all)
	return slices.Compact(all), true
}

// move puts all times of a scenario of which moments is ok elsewhere.
func move(s *scenarios.Scenario, to func(time.Duration) time.Duration) {
	at := func(d *scenarios.Duration) { *d = scenarios.Duration(to(d.D())) }
	for i := range s.Faults {
		f := &s.Faults[i]
		end := f.At[0] + f.For.Min
		at(&f.At[0])
		at(&end)
		if !f.Forever && !f.For.IsZero() {
			length := max(end-f.At[0], scenarios.Duration(time.Millisecond))
			f.For = scenarios.Range{Min: length, Max: length}
		}
	}
	for i := range s.Actions {
		at(&s.Actions[i].At)
	}
	for i := range s.Workload.Operations {
		at(&s.Workload.Operations[i].At)
	}
	at(&s.Duration)
	s.Duration = max(s.Duration, scenarios.Duration(time.Second))
}

// waits are the lengths to which times in which nothing begins or ends are cut,
// one after the other.
var waits = []time.Duration{20 * time.Second, 5 * time.Second, time.Second, 100 * time.Millisecond}

// waiting shortens the times in which nothing begins or ends.
func (s *search) waiting() {
	for _, limit := range waits {
		base := s.best.Scenario
		all, ok := moments(base)
		if !ok || s.over() {
			return
		}
		var long []int // the moments before which there is more time
		for i := 1; i < len(all); i++ {
			if all[i]-all[i-1] > limit {
				long = append(long, i)
			}
		}
		s.minimize(len(long), coarse(len(long)), func(keep []int) *scenarios.Scenario {
			moved := map[time.Duration]time.Duration{}
			var cut time.Duration
			for i, t := range all {
				if at := slices.Index(long, i); at >= 0 && !slices.Contains(keep, at) {
					cut += t - all[i-1] - limit
				}
				moved[t] = t - cut
			}
			return s.edit(func(c *scenarios.Scenario) { move(c, func(t time.Duration) time.Duration { return moved[t] }) })
		})
	}
}

// round makes times readable.
func (s *search) round() {
	if _, ok := moments(s.best.Scenario); !ok {
		return
	}
	var changes []func(*scenarios.Scenario)
	for _, unit := range []time.Duration{time.Second, 100 * time.Millisecond, 10 * time.Millisecond, time.Millisecond} {
		changes = append(changes, func(c *scenarios.Scenario) {
			move(c, func(t time.Duration) time.Duration { return t.Round(unit) })
		})
	}
	s.tryEach(changes...)
}
