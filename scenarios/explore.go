// SPDX-License-Identifier: Apache-2.0

package scenarios

import "slices"

// Explore makes the order in which goroutines run an input of the run, besides
// its seed: interleavings that are rare come often, and come back.
type Explore struct {
	Order       Order    `key:"order" default:"fifo" enum:"fifo|shuffle|priorities" doc:"Which goroutine runs next of those that can: as Go does it, any, or the one with the highest of priorities that are drawn at creation."`
	Preemptions int      `key:"preemptions" default:"0" max:"10000000" doc:"How many goroutines are preempted in the middle of what they do, by a lock, a channel operation or a look at the clock."`
	Pause       Duration `key:"pause" default:"0s" max:"10s" doc:"A preempted goroutine stays away for a time up to this one, with the locks it holds; 0s: it lets those go first that can run at that instant."`
	Horizon     int      `key:"horizon" default:"1000000" min:"1" max:"1000000000" doc:"Scheduling decisions over which the preemptions are spread evenly; quickstart makes more than a million."`
}

// Order names an order of goroutines.
type Order = string

// The orders of goroutines.
const (
	FIFO       Order = "fifo"
	Shuffle    Order = "shuffle"
	Priorities Order = "priorities"
)

func (s *Scenario) validateExplore(p *problems) {
	e := s.Explore
	if e != nil && p.read("explore.preemptions", "explore.horizon") && e.Preemptions > e.Horizon {
		p.add("explore.preemptions", "found %d, expected at most one for each of the %d decisions of explore.horizon", e.Preemptions, e.Horizon)
	}
}

// exactly says how to run a scenario exactly.
const exactly = `expected it with virtual time, and with --exact or, in a test, with go test -overlay "$(go run github.com/drumbeat-raft/drumbeat/cmd/monkey overlay)"`

// CheckExact returns Problems when the scenario asks for what only an exact run
// can do.
func (s *Scenario) CheckExact(exact bool) error {
	if exact {
		return nil
	}
	p := &problems{where: s.where}
	if s.Explore != nil {
		p.add("explore", "found an order of goroutines, which only an exact run has, %s", exactly)
	}
	for _, l := range s.Leaves() {
		if kind, ok := FaultKindOf(l.Fault.Kind); ok && kind.Exact {
			p.add(l.Path+".kind", "found %s, which only an exact run can do, %s", l.Fault.Kind, exactly)
		}
	}
	return p.err()
}

// NeedsExact reports whether the scenario asks for what only an exact run can do.
func (s *Scenario) NeedsExact() bool { return s.CheckExact(false) != nil }

// Pauses reports whether a fault of the scenario has hosts stand still.
func (s *Scenario) Pauses() bool {
	return slices.ContainsFunc(s.Leaves(), func(l Leaf) bool {
		kind, ok := FaultKindOf(l.Fault.Kind)
		return ok && kind.Needs == CanPause
	})
}
