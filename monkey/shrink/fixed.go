// SPDX-License-Identifier: Apache-2.0

package shrink

import (
	"fmt"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Fixed returns the scenario with all that its run drew given: one entry for
// each injection, with its time, host and length, and each operation that
// clients began before keep says that it does not matter. There is no warm-up
// any more: all times count from the moment at which the clients began. What was
// skipped or missed in that run is left out.
//
// A run of it is nearly the run that it was made from. The error says what of
// that run can't be given.
func Fixed(s *scenarios.Scenario, happened *timeline.Timeline, ops []history.Op, keep func(*history.Op) bool) (*scenarios.Scenario, error) {
	clients, ok := happened.Phase(timeline.WarmUp)
	if !ok {
		return nil, fmt.Errorf("the run of %s ended before its clients began", s.Name)
	}
	fixed := clone(s)
	fixed.Faults, fixed.Phases = nil, nil
	for _, i := range happened.Began() {
		f, err := fixedFault(s, i, clients.From)
		if err != nil {
			return nil, err
		}
		fixed.Faults = append(fixed.Faults, f)
	}
	for i := range fixed.Actions {
		fixed.Actions[i].At += s.Warmup
	}
	fixed.Warmup, fixed.Duration = 0, s.Warmup+s.Duration
	last := happened.End
	if probe, ok := happened.Phase(timeline.Probe); ok {
		last = probe.From
	}
	var err error
	if fixed.Workload.Operations, err = fixedOperations(ops, clients.From, last, keep); err != nil {
		return nil, err
	}
	return check(fixed)
}

// fixedFault is the entry of an injection that began. began is when the clients
// did.
func fixedFault(s *scenarios.Scenario, i timeline.Injection, began time.Duration) (scenarios.Fault, error) {
	leaves := s.Leaves()
	if i.Entry >= len(leaves) || leaves[i.Entry].Fault.Kind != i.Fault {
		return scenarios.Fault{}, fmt.Errorf("the injection %d, %s of %v, is of no fault of the scenario", i.ID, i.Fault, i.Hosts)
	}
	of := leaves[i.Entry].Fault
	kind, _ := scenarios.FaultKindOf(of.Kind)
	f := scenarios.Fault{Kind: of.Kind, Target: of.Target, At: []scenarios.Duration{scenarios.Duration(i.From - began)},
		Forever: of.Forever, LoseQuorum: of.LoseQuorum, Parameters: of.Parameters}
	var err error
	if i.Drawn != "" {
		if f.Parameters, err = kind.ParseParameters(i.Drawn); err != nil {
			return f, fmt.Errorf("the injection %d has the parameters %s: %w", i.ID, i.Drawn, err)
		}
	}
	switch {
	case i.Forever || kind.Instant:
	case i.Ended:
		length := scenarios.Duration(max(i.Length(), time.Millisecond))
		f.For = scenarios.Range{Min: length, Max: length}
	default: // the run ended first
		f.For = scenarios.Range{Min: of.For.Max, Max: of.For.Max}
	}
	if kind.Untargeted || of.Target.Class == scenarios.Joining { // who joins is known only at that moment
		return f, nil
	}
	f.Target, err = scenarios.Named(i.Hosts...)
	return f, err
}

// fixedOperations are the operations that clients called from began to last, as
// times since the run's start.
func fixedOperations(ops []history.Op, began, last time.Duration, keep func(*history.Op) bool) ([]scenarios.Operation, error) {
	var fixed []scenarios.Operation
	for i := range ops {
		op := &ops[i]
		if call := time.Duration(op.Call); call < began || call > last || !keep(op) {
			continue
		}
		o := scenarios.Operation{At: scenarios.Duration(time.Duration(op.Call) - began), Op: givenKind(op.Kind)}
		if err := o.Key.UnmarshalText([]byte(op.Key)); err != nil {
			return nil, err
		}
		if op.Host != "" {
			if err := o.Host.UnmarshalText([]byte(world.HostOf(op.Host))); err != nil {
				return nil, err
			}
		}
		fixed = append(fixed, o)
	}
	slices.SortStableFunc(fixed, func(a, b scenarios.Operation) int { return int(a.At - b.At) })
	return fixed, nil
}

// givenKind is the kind of a given operation that was of a kind: an update of an object
// is drawn anew.
func givenKind(kind history.Kind) string {
	switch kind {
	case history.Add, history.Remove, history.Transfer, history.Enqueue, history.Dequeue, history.Txn:
		return string(history.Put)
	}
	return string(kind)
}

// clone returns a copy with faults, actions and operations of its own.
func clone(s *scenarios.Scenario) *scenarios.Scenario {
	c := *s
	c.Actions, c.Workload.Operations = slices.Clone(s.Actions), slices.Clone(s.Workload.Operations)
	c.Phases = slices.Clone(s.Phases)
	for i := range c.Phases {
		c.Phases[i].Faults = cloneFaults(c.Phases[i].Faults)
	}
	c.Faults = cloneFaults(s.Faults)
	return &c
}

func cloneFaults(faults []scenarios.Fault) []scenarios.Fault {
	all := slices.Clone(faults)
	for i := range all {
		f := &all[i]
		f.At = slices.Clone(f.At)
		f.Sequence, f.Together, f.OneOf = cloneFaults(f.Sequence), cloneFaults(f.Together), cloneFaults(f.OneOf)
	}
	return all
}

// check returns the scenario as it is read back from a file, or what is wrong
// with it.
func check(s *scenarios.Scenario) (*scenarios.Scenario, error) {
	text, err := s.Brief()
	if err != nil {
		return nil, err
	}
	return scenarios.Parse(s.Name, text)
}
