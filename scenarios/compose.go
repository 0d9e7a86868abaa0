// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Faults is a list of faults inside another one, or in a phase.
type Faults []Fault

func (l *Faults) decode(d *decoder, node *yaml.Node, path string) {
	d.decodeList(node, reflect.ValueOf((*[]Fault)(l)).Elem(), path)
}

func (l *Faults) encode() *yaml.Node { return encodeList(reflect.ValueOf(*l)) }
func (l *Faults) absent() bool       { return len(*l) == 0 }
func (l *Faults) fill()              {}

func (l *Faults) schema() object {
	return object{"type": "array", "items": object{"$ref": "#/properties/faults/items"}}
}

// reference implements part: the entries are as those of faults.
func (l *Faults) reference(string) []Entry { return nil }

// Phase is a part of the phase with faults.
type Phase struct {
	Name     string    `key:"name" optional:"true" doc:"Its name, for people: letters, digits and dashes."`
	Duration Duration  `key:"duration" required:"true" min:"1s" max:"720h" doc:"How long it lasts."`
	Workload PhaseLoad `key:"workload" doc:"What clients do otherwise than before the first phase."`
	Faults   Faults    `key:"faults" doc:"Faults as in the list of the scenario. Their times count from the beginning of the phase."`
}

// PhaseLoad is what clients do in a phase. What is absent is as the scenario's workload
// says.
type PhaseLoad struct {
	Rate  float64 `key:"rate" optional:"true" min:"0.01" max:"1000000" doc:"Operations a second that all clients together start."`
	Burst *Burst  `key:"burst" doc:"Operations that start at one instant on one key."`
	Mix   *Mix    `key:"mix" doc:"Weights of the kinds of operation."`
}

// In returns a workload as it is under the load.
func (l PhaseLoad) In(w Workload) Workload {
	if l.Rate > 0 {
		w.Rate = l.Rate
	}
	if l.Burst != nil {
		w.Burst = *l.Burst
	}
	if l.Mix != nil {
		w.Mix = *l.Mix
	}
	return w
}

// ReadsStale reports whether clients ask for stale reads at any time.
func (s *Scenario) ReadsStale() bool {
	stale := s.Workload.Mix.Stale > 0
	for _, p := range s.Phases {
		stale = stale || p.Workload.Mix != nil && p.Workload.Mix.Stale > 0
	}
	if given := s.Workload.Operations; len(given) > 0 {
		stale = slices.ContainsFunc(given, func(o Operation) bool { return o.Op == "stale" })
	}
	return stale
}

// FaultEntry is a fault of the scenario's list or of a phase's.
type FaultEntry struct {
	Fault *Fault
	Path  string // in the file
	// From and To is when it may be carried out, since the phase with faults began.
	From, To Duration
	// First is the place of its first leaf in Leaves.
	First int
}

// Entries lists the faults of the scenario, then those of its phases. They point
// into the scenario.
func (s *Scenario) Entries() []FaultEntry {
	var all []FaultEntry
	leaves := 0
	add := func(f *Fault, path string, from, to Duration) {
		all = append(all, FaultEntry{f, path, from, to, leaves})
		leaves += f.leaves()
	}
	for i := range s.Faults {
		add(&s.Faults[i], fmt.Sprintf("faults[%d]", i), 0, s.Duration)
	}
	from := Duration(0)
	for i := range s.Phases {
		phase := &s.Phases[i]
		for j := range phase.Faults {
			add(&phase.Faults[j], fmt.Sprintf("phases[%d].faults[%d]", i, j), from, from+phase.Duration)
		}
		from += phase.Duration
	}
	return all
}

// leaves counts the faults with a kind in f, itself included.
func (f *Fault) leaves() int {
	n := 0
	f.walk("", func(*Fault, string) { n++ })
	return n
}

// walk visits the faults with a kind in f, itself included, in the order of the
// file.
func (f *Fault) walk(path string, visit func(f *Fault, path string)) {
	groups := f.groups()
	if len(groups) == 0 {
		visit(f, path)
	}
	for _, g := range groups {
		for i := range g.faults {
			g.faults[i].walk(fmt.Sprintf("%s.%s[%d]", path, g.key, i), visit)
		}
	}
}

type group struct {
	key    string
	faults Faults
}

// groups are those of sequence, together and one_of that f has.
func (f *Fault) groups() []group {
	return slices.DeleteFunc([]group{{"sequence", f.Sequence}, {"together", f.Together}, {"one_of", f.OneOf}},
		func(g group) bool { return len(g.faults) == 0 })
}

// Leaf is a fault with a kind, alone or inside others.
type Leaf struct {
	Fault *Fault
	Path  string // in the file
	Entry FaultEntry
}

// Leaves lists all faults with a kind, in the order of Entries and of the file. A
// fault is told by its place in this list.
func (s *Scenario) Leaves() []Leaf {
	var all []Leaf
	for _, e := range s.Entries() {
		e.Fault.walk(e.Path, func(f *Fault, path string) { all = append(all, Leaf{f, path, e}) })
	}
	return all
}

// Join is the kind of fault by which hosts come that were not there from the start.
const Join = "join"

// JoinLater lists the hosts that a fault of the kind Join starts, in the order of the
// file: they are not there before.
func (s *Scenario) JoinLater() (hosts []string) {
	for _, l := range s.Leaves() {
		if l.Fault.Kind == Join {
			hosts = append(hosts, l.Fault.Target.Hosts()...)
		}
	}
	return hosts
}

// starts is how often at most the fault begins; 0: nobody knows.
func (l Leaf) starts() int {
	e := l.Entry.Fault
	n := max(e.Count, len(e.At), e.AtMost)
	if e.When != "" {
		n = max(1, e.AtMost)
	}
	n *= max(1, e.Times)
	if l.Fault != e { // times of what is between are few, and a limit on deaths can be strict
		n *= max(1, l.Fault.Times)
	}
	return n
}

// most is how many hosts a target means at most.
func (s *Scenario) most(t Target) int {
	switch {
	case len(t.Hosts()) > 0:
		return len(t.Hosts())
	case t.Amount == Amount{}:
		return 1
	case t.OfCluster():
		return t.Amount.atMost(s.Clusters.Size)
	case t.Place != "" && t.Place != AnyRegion && t.Place != AnyRack:
		return t.Amount.atMost(s.Deployment.hostsAt(t.Place))
	case t.OfDrummers():
		return t.Amount.atMost(s.Deployment.Drummers)
	case t.Class == AnyHost:
		return t.Amount.atMost(s.Deployment.Drummers + s.Deployment.NodeHosts)
	}
	return t.Amount.atMost(s.Deployment.NodeHosts)
}

// atMost is the greatest Number of n.
func (a Amount) atMost(n int) int {
	if a.Max > 0 {
		return min(a.Max, n)
	}
	return a.Number(n, 0)
}
