// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// facts completes what the world's process collected after healing with what
// the timeline, the history and the scenario say.
func (r *Recording) facts() *invariant.Facts {
	var f invariant.Facts
	if r.Outcome != nil {
		f = r.Outcome.Facts
		f.Healed = r.Outcome.Finished
		f.Launch = &invariant.Launch{Clusters: r.Scenario.Clusters.Count, Full: r.Outcome.Launched, Took: int64(r.Outcome.Launch)}
		f.Settle = &invariant.Settle{Whole: r.Outcome.Settled, Took: int64(r.Outcome.Settle), Left: r.Outcome.Unsettled}
		f.Placed = r.Scenario.Clusters.Placed()
		f.Asked, f.Missed = r.Outcome.Asked, r.Outcome.Missed
		f.Unmet = r.Outcome.Unmet
	}
	f.Actions, f.WantedActions = r.actions(), len(r.Scenario.Actions)
	f.Ops, f.Model, f.Static = r.History.Ops, r.Model, r.Scenario.Deployment.Drummers == 0
	if f.Clusters == nil { // the run did not come that far
		for _, id := range r.Scenario.Clusters.IDs() {
			f.Clusters = append(f.Clusters, invariant.Cluster{Cluster: id, Size: r.Scenario.Clusters.Size})
		}
	}
	f.Stopped = r.stopped()
	f.Process = r.process()
	f.Requests = r.requests()
	r.leaders(&f)
	f.Begun = r.begun()
	r.divergences(&f)
	f.Faults, f.Wanted = r.faults(), r.wanted()
	f.Outages = []invariant.Outage{}
	for _, o := range r.Timeline.Outages {
		f.Outages = append(f.Outages, invariant.Outage{Cluster: o.Cluster, From: int64(o.From), To: int64(o.To)})
	}
	if probe, ok := r.Timeline.Phase(timeline.Probe); ok {
		f.Finals = finals(r.History.Ops, int64(probe.From))
	}
	f.Stalls = r.stalls(f.Clusters)
	return &f
}

// stopped reports whether the run stopped because a violation was seen while it
// went on.
func (r *Recording) stopped() bool {
	seen := false
	timeline.All(r.Timeline, func(time.Duration, timeline.Violated) { seen = true })
	timeline.All(r.Timeline, func(time.Duration, timeline.RaftBroken) { seen = true })
	timeline.All(r.Timeline, func(time.Duration, timeline.DrummerErred) { seen = true })
	return seen && r.Outcome != nil && !r.Outcome.Finished
}

// process is how the process that held the world ended.
func (r *Recording) process() *invariant.Process {
	p := &invariant.Process{}
	timeline.All(r.Timeline, func(_ time.Duration, f timeline.BootFailed) {
		p.NotBooted = append(p.NotBooted, fmt.Sprintf("host %s does not start again: %s", f.Host, f.Error))
	})
	if r.Outcome != nil {
		p.Hidden = r.Outcome.Hidden
	}
	if r.End != nil {
		p.Panic = r.End.Panic
	}
	if p.Panic != "" {
		p.Where, p.Before = whereOf(r.End), r.lastFault()
	}
	if r.endedItself() {
		p.Exited = r.End.Code
	}
	switch {
	case p.Panic != "" || p.Exited != 0:
	case r.End != nil && r.End.Killed:
		p.Cut = "the process did not stop when asked to, and was killed"
	case r.End != nil && r.End.Error != "":
		p.Cut = r.End.Error
	case r.End != nil && r.End.Until > 0:
		p.Cut = fmt.Sprintf("the run was stopped at %s, as was asked", r.End.Until)
	case r.Outcome == nil:
		p.Cut = "the run was killed, so no facts were collected after healing"
	case !r.Outcome.Finished:
		p.Cut = r.Outcome.Cause
		if p.Cut == "" {
			p.Cut = "the run did not come to its end"
		}
	}
	return p
}

// endedItself reports whether the code under test called os.Exit in the middle of the
// run, as log.Fatal does.
func (r *Recording) endedItself() bool {
	e := r.End
	return r.Outcome == nil && e != nil && e.Code > 0 && e.Panic == "" && e.Error == "" && e.Signal == "" && !e.Killed && !e.Stopped && e.Until == 0
}

// nodePattern finds the Raft node in a panic: as Dragonboat's messages name it, or
// those of the bundled state machines.
var nodePattern = regexp.MustCompile(`\[(\d{5}):(\d{5})\]|cluster (\d+), node (\d+)`)

// whereOf says where it was that panicked, as far as that is known.
func whereOf(e *rundir.End) string {
	var parts []string
	if e.Host != "" {
		parts = append(parts, "on "+e.Host)
	}
	if m := nodePattern.FindStringSubmatch(e.Panic); m != nil {
		cluster, node := strings.TrimLeft(m[1]+m[3], "0"), strings.TrimLeft(m[2]+m[4], "0")
		parts = append(parts, fmt.Sprintf("in node %s of cluster %s", node, cmp.Or(cluster, "0, DrummerDB")))
	}
	return strings.Join(parts, ", ")
}

// lastFault says which fault struck last before the end of a run that crashed.
func (r *Recording) lastFault() string {
	at := r.End.PanicAt
	if at == 0 {
		at = r.Timeline.End
	}
	last := -1
	for i, x := range r.Timeline.Injections {
		if !x.Skipped && x.From <= at && (last < 0 || x.From >= r.Timeline.Injections[last].From) {
			last = i
		}
	}
	if last < 0 {
		return "no fault had struck before"
	}
	x := r.Timeline.Injections[last]
	return fmt.Sprintf("the last fault before was %s of %s at %s, %s earlier",
		x.Fault, strings.Join(x.Hosts, ", "), x.From.Round(time.Millisecond), (at - x.From).Round(time.Millisecond))
}

// leaders separates what nodes announced of themselves from what they said of
// others.
func (r *Recording) leaders(f *invariant.Facts) {
	f.Leaders, f.Beliefs = []invariant.Leader{}, []invariant.Belief{}
	timeline.All(r.Timeline, func(at time.Duration, l timeline.LeaderAnnounced) {
		switch {
		case l.Leads():
			f.Leaders = append(f.Leaders, invariant.Leader{Cluster: l.Cluster, Term: l.Term, Node: l.Node, At: int64(at)})
		case l.Leader != 0:
			f.Beliefs = append(f.Beliefs, invariant.Belief{Cluster: l.Cluster, Term: l.Term, Node: l.Node, Leader: l.Leader, At: int64(at)})
		}
	})
}

// begun is when DrummerDB was begun anew: all of its servers had lost their disks.
func (r *Recording) begun() map[uint64][]int64 {
	begun := map[uint64][]int64{}
	for _, x := range r.Timeline.Injections {
		drummers := 0
		for _, h := range x.Hosts {
			if strings.HasPrefix(h, "drummer-") {
				drummers++
			}
		}
		if x.Fault == "wipe" && !x.Skipped && drummers > 0 && drummers == r.Scenario.Deployment.Drummers {
			begun[world.DrummerDB] = append(begun[world.DrummerDB], int64(x.From))
		}
	}
	return begun
}

// divergences takes what a comparison of replicas found while the run went on.
// Nothing is known of a run that was killed, unless something was found.
func (r *Recording) divergences(f *invariant.Facts) {
	timeline.All(r.Timeline, func(at time.Duration, d timeline.Diverged) {
		f.Divergences = append(f.Divergences, invariant.Divergence{Cluster: d.Cluster, Index: d.Index, Node: d.Node, Sum: d.Sum,
			Other: d.Other, OtherSum: d.OtherSum, Agreed: d.Agreed, Entry: d.Entry, At: int64(at)})
	})
	if f.Divergences == nil && r.Outcome != nil {
		f.Divergences = []invariant.Divergence{}
	}
}

func (r *Recording) faults() []invariant.Fault {
	all := []invariant.Fault{}
	for _, i := range r.Timeline.Injections {
		kind, _ := scenarios.FaultKindOf(i.Fault)
		x := invariant.Fault{Kind: i.Fault, Target: i.Target, Forever: i.Forever, From: int64(i.From),
			Reason: i.Reason, Skipped: i.Skipped, Exact: i.Exact, TookEffect: i.TookEffect(), MayMiss: kind.MayMiss}
		if i.Skipped {
			x.From = int64(i.Planned)
		}
		if i.Exact { // a time that was drawn is as good as a later one
			x.Late = int64(i.Late())
		}
		if i.Ended {
			x.To = int64(i.To)
		}
		all = append(all, x)
	}
	return all
}

// actions lists what Drummer accepted of the scenario's operator.
func (r *Recording) actions() []invariant.Action {
	var all []invariant.Action
	timeline.All(r.Timeline, func(at time.Duration, a timeline.OperatorActed) {
		all = append(all, invariant.Action{What: a.Action + " of " + a.Text, At: int64(at), Late: int64(max(0, at-a.Planned))})
	})
	return all
}

func (r *Recording) wanted() []invariant.WantedFault {
	var all []invariant.WantedFault
	for _, l := range r.Scenario.Leaves() {
		if f := l.Fault; f.AtLeast > 0 {
			all = append(all, invariant.WantedFault{Kind: f.Kind, Target: f.Target.String(), Forever: f.Forever, AtLeast: f.AtLeast})
		}
	}
	return all
}

// finals takes from the history what each key was last read to hold since the
// given time, when all was healed, where no write was asked for afterwards.
func finals(ops []history.Op, since int64) []invariant.Final {
	last := map[string]*history.Op{}
	written := map[string]int64{} // by when all writes that returned had done so
	for i := range ops {
		op := &ops[i]
		if op.Kind == history.Get {
			if op.Outcome == history.OK && op.Call >= since && (last[op.Key] == nil || last[op.Key].Call <= op.Call) {
				last[op.Key] = op
			}
			continue
		}
		until := op.Call
		if op.Outcome != history.Unknown {
			until = op.Return
		}
		written[op.Key] = max(written[op.Key], until)
	}
	all := []invariant.Final{}
	for _, key := range slices.Sorted(maps.Keys(last)) {
		op := last[key]
		if op.Call < written[key] {
			continue
		}
		f := invariant.Final{Cluster: op.Cluster, Key: key, Writer: op.ObservedWriter, At: op.Call, Until: op.Return}
		if !op.Observed.IsAbsent() {
			text := op.Observed.Text()
			f.Value = &text
		}
		all = append(all, f)
	}
	return all
}

// stalls finds each cluster's longest time without a completed write, by the
// history, and excuses those during at least half of which the cluster had no
// majority. Clusters that are to be no more are left out.
func (r *Recording) stalls(clusters []invariant.Cluster) []invariant.Stall {
	excused := func(cluster uint64, from, to int64) bool {
		without := int64(0)
		for _, o := range r.Timeline.Outages {
			if o.Cluster == cluster {
				without += max(0, min(int64(o.To), to)-max(int64(o.From), from))
			}
		}
		return 2*without >= to-from && without > 0
	}
	stalls := invariant.WriteStalls(r.History.Ops, int64(r.elapsed()), excused)
	return slices.DeleteFunc(stalls, func(s invariant.Stall) bool {
		return !slices.ContainsFunc(clusters, func(c invariant.Cluster) bool { return c.Cluster == s.Cluster })
	})
}
