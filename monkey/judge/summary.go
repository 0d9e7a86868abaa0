// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"cmp"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

// faults sums up the injections by kind and target.
func (e *evidence) faults() []Fault {
	type key struct {
		kind, target string
		forever      bool
	}
	sums := map[key]*Fault{}
	last := map[int]rundir.Event{} // what was last said of an injection
	for _, ev := range e.events {
		switch ev.Kind {
		case rundir.FaultBegin:
			k := key{ev.Fault, ev.Target, ev.Forever}
			if sums[k] == nil {
				sums[k] = &Fault{Kind: ev.Fault, Target: ev.Target, Forever: ev.Forever}
			}
			sums[k].Injected++
			last[ev.ID] = ev
		case rundir.FaultEnd:
			last[ev.ID] = ev
		}
	}
	for _, ev := range last {
		if ev.Effect == nil { // on links, and the run ended before it did
			continue
		}
		f := sums[key{ev.Fault, ev.Target, ev.Forever}]
		f.Effects = f.Effects.Add(*ev.Effect)
		if ev.Effect.Bit() {
			f.Effect++
		}
	}
	all := []Fault{}
	for _, f := range sums {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b Fault) int {
		if c := cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Target, b.Target)); c != 0 {
			return c
		}
		if a.Forever {
			return 1
		}
		return -1
	})
	return all
}

// repair sums up how clusters became whole again, and how long their writes
// stalled.
func (e *evidence) repair(stalls []invariant.Stall) Repair {
	var p Repair
	var took []time.Duration
	for _, ev := range e.events {
		if ev.Kind != rundir.Repaired {
			continue
		}
		switch ev.Op {
		case rundir.Restored:
			p.Restored++
			continue
		case rundir.Moved:
			p.Moved++
			continue
		}
		took = append(took, ev.Took)
	}
	slices.Sort(took)
	if p.Count = len(took); p.Count > 0 {
		p.P50Seconds = took[(len(took)-1)/2].Seconds()
		p.MaxSeconds = took[len(took)-1].Seconds()
	}
	for _, s := range stalls {
		if !s.Excused && !s.Unsure {
			p.MaxWriteStallSeconds = max(p.MaxWriteStallSeconds, time.Duration(s.To-s.From).Seconds())
		}
	}
	p.ReplacementStallSeconds = e.replacementStall().Seconds()
	return p
}

// activity counts what Drummer set out to do, by kind of request.
func (e *evidence) activity() Activity {
	a := Activity{}
	for _, ev := range e.events {
		if ev.Kind == rundir.Decision && ev.Op == "operation-planned" {
			a[ev.Request]++
		}
	}
	return a
}
