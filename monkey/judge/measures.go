// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"cmp"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// faultRows sums up the injections by kind and target.
func (r *Recording) faultRows() []Fault {
	type key struct {
		kind, target string
		forever      bool
	}
	rows := map[key]*Fault{}
	for _, i := range r.Timeline.Injections {
		k := key{i.Fault, i.Target, i.Forever}
		if rows[k] == nil {
			rows[k] = &Fault{Kind: i.Fault, Target: i.Target, Forever: i.Forever}
		}
		row := rows[k]
		if i.Skipped {
			row.Skipped++
			row.SkippedReasons = counted(row.SkippedReasons, i.Reason)
			continue
		}
		row.Injected++
		if i.Late() > 0 {
			row.LateReasons = counted(row.LateReasons, i.Reason)
		}
		row.MaxLateSeconds = max(row.MaxLateSeconds, i.Late().Seconds())
		row.Effects = row.Effects.Add(i.Effect)
		if i.TookEffect() {
			row.Effect++
		}
	}
	all := []Fault{}
	for _, row := range rows {
		all = append(all, *row)
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

// operator sums up the actions of the scenario, if it has any.
func (r *Recording) operator(facts *invariant.Facts) *Operator {
	if facts.WantedActions == 0 {
		return nil
	}
	o := &Operator{Actions: facts.WantedActions, Accepted: len(facts.Actions)}
	for _, a := range facts.Actions {
		o.MaxLateSeconds = max(o.MaxLateSeconds, time.Duration(a.Late).Seconds())
	}
	timeline.All(r.Timeline, func(_ time.Duration, f timeline.OperatorFailed) { o.Failed = f.String() })
	return o
}

// counted counts a reason.
func counted(reasons map[string]int, reason string) map[string]int {
	if reasons == nil {
		reasons = map[string]int{}
	}
	reasons[reason]++
	return reasons
}

// repair sums up how clusters became whole again, and how long their writes
// stalled.
func (r *Recording) repair(stalls []invariant.Stall) Repair {
	var p Repair
	var took []time.Duration
	timeline.All(r.Timeline, func(_ time.Duration, f timeline.ClusterRepaired) {
		switch f.How {
		case timeline.Restored:
			p.Restored++
		case timeline.Moved:
			p.Moved++
		case timeline.Replaced:
			took = append(took, f.Took)
		}
	})
	slices.Sort(took)
	if p.Count = len(took); p.Count > 0 {
		p.P50Seconds = took[(len(took)-1)/2].Seconds()
		p.MaxSeconds = took[len(took)-1].Seconds()
	}
	for _, s := range stalls {
		switch took := time.Duration(s.To - s.From).Seconds(); {
		case s.Excused:
			p.MaxExcusedStallSeconds = max(p.MaxExcusedStallSeconds, took)
		case !s.Unsure:
			p.MaxWriteStallSeconds = max(p.MaxWriteStallSeconds, took)
		}
	}
	for _, o := range r.Timeline.Outages {
		p.MaxOutageSeconds = max(p.MaxOutageSeconds, o.Length().Seconds())
	}
	p.ReplacementStallSeconds = r.replacementStall().Seconds()
	return p
}

// activity counts what Drummer set out to do, by kind of request.
func (r *Recording) activity() Activity {
	a := Activity{}
	timeline.All(r.Timeline, func(_ time.Duration, d timeline.Decided) {
		if d.Event == pb.EventOperationPlanned {
			a[d.Request]++
		}
	})
	return a
}

// replacementStall measures what the replacement of a member costs a cluster
// in writes, apart from what faults cost: only replacements count during which
// no fault was at work, and only writes through hosts that no fault touched. An
// election counts: where no fault is at work, it is the replacement's doing.
func (r *Recording) replacementStall() time.Duration {
	faults, longest := r.Timeline.FaultsOn(), time.Duration(0)
	for cluster, spans := range r.undisturbedReplacements() {
		var writes []history.Op
		for _, op := range r.History.Ops {
			refused := op.Outcome == history.Fail && !op.Observed.Stated() // at once, by a host that has no member
			if op.Cluster == cluster && op.Kind.Mutates() && !refused && healthy(op, faults) {
				writes = append(writes, op)
			}
		}
		for _, s := range spans {
			during := slices.DeleteFunc(slices.Clone(writes), func(op history.Op) bool {
				return op.Call < int64(s.From) || op.Call > int64(s.To)
			})
			for _, stall := range invariant.WriteStalls(during, int64(s.To), nil) {
				if !stall.Unsure {
					longest = max(longest, time.Duration(stall.To-stall.From))
				}
			}
		}
	}
	return longest
}

// afterFaults is how long after the end of a fault what happens may still be
// its doing: connections are backing off, restarted nodes catch up.
const afterFaults = 10 * time.Second

// undisturbedReplacements lists, by cluster, from when to when a member was
// replaced, where no fault was at work or had been just before. Of a death only
// its beginning is one.
func (r *Recording) undisturbedReplacements() map[uint64][]timeline.Span {
	spans := map[uint64][]timeline.Span{}
	for _, x := range r.replacements() {
		for _, from := range x.added {
			s := timeline.Span{From: from, To: x.full}
			if !r.disturbed(s) {
				spans[x.cluster] = append(spans[x.cluster], s)
				break
			}
		}
	}
	return spans
}

// disturbed reports whether a fault began or ended in a time, or may still have
// been at work in it.
func (r *Recording) disturbed(s timeline.Span) bool {
	return slices.ContainsFunc(r.Timeline.Began(), func(i timeline.Injection) bool {
		if i.Forever { // those that lost their leader have another one soon
			return s.Meets(timeline.Span{From: i.From, To: i.From + afterFaults})
		}
		return s.Meets(timeline.Span{From: i.From, To: i.To + afterFaults})
	})
}

// healthy reports whether no fault touched the host of an operation meanwhile.
func healthy(op history.Op, faults map[string][]timeline.Span) bool {
	end := op.Return
	if op.Outcome == history.Unknown {
		end = op.Call
	}
	during := timeline.Span{From: time.Duration(op.Call), To: time.Duration(end)}
	return !slices.ContainsFunc(faults[world.HostOf(op.Host)], during.Meets)
}

// concurrency measures how much the operations that succeeded overlap.
func concurrency(ops []history.Op) Concurrency {
	var latencies []int64
	total := int64(0)
	for i := range ops {
		if op := &ops[i]; op.Outcome == history.OK {
			latencies = append(latencies, op.Return-op.Call)
			total += op.Return - op.Call
		}
	}
	overlapping, n := invariant.Overlapping(ops)
	if n == 0 {
		return Concurrency{}
	}
	slices.Sort(latencies)
	ms := func(ns int64) float64 { return float64(ns) / float64(time.Millisecond) }
	return Concurrency{
		Overlapping: float64(overlapping) / float64(n),
		MeanLatency: ms(total) / float64(n), P50Latency: ms(latencies[(n-1)/2]), P99Latency: ms(latencies[(n-1)*99/100]),
	}
}

// leaderChanges counts how often another node than before came to lead a cluster.
func leaderChanges(leaders []invariant.Leader) int {
	last, n := map[uint64]uint64{}, 0
	for _, l := range slices.SortedStableFunc(slices.Values(leaders), func(a, b invariant.Leader) int { return cmp.Compare(a.Term, b.Term) }) {
		if before, known := last[l.Cluster]; known && before != l.Node {
			n++
		}
		last[l.Cluster] = l.Node
	}
	return n
}

// followerReads is the share of the reads that a follower answered, of those of
// which it is known who led in the term of the replica that answered.
func followerReads(ops []history.Op, leaders []invariant.Leader) float64 {
	type term struct{ cluster, number uint64 }
	led := map[term]uint64{}
	for _, l := range leaders {
		led[term{l.Cluster, l.Term}] = l.Node
	}
	known, byFollower := 0, 0
	for i := range ops {
		op := &ops[i]
		if op.Kind != history.Get || op.Outcome != history.OK || op.By == nil {
			continue
		}
		if leader, ok := led[term{op.Cluster, op.By.Term}]; ok {
			known++
			if leader != op.By.Node {
				byFollower++
			}
		}
	}
	return float64(byFollower) / float64(max(known, 1))
}

// timing is how long things took that take a time by the scenario.
func timing(s *scenarios.Scenario) Timing {
	return Timing{
		Network: spreadOf(s.Deployment.Network.Latency), Sync: spreadOf(s.Deployment.Disk.Sync), Write: spreadOf(s.Deployment.Disk.Write),
		Apply: spreadOf(s.Clusters.Apply), Snapshot: spreadOf(s.Clusters.Snapshot),
		LogDB: s.Deployment.LogDB,
	}
}

func spreadOf(l scenarios.Latency) Spread {
	ms := func(d scenarios.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return Spread{Min: ms(l.Min), Median: ms(l.Median), P99: ms(l.P99)}
}
