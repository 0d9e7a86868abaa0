// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Table writes a result for a person at a terminal.
func Table(w io.Writer, r *judge.Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\n%s: %d clusters on %d NodeHosts, %d Drummers, seed %d, %s world, %s clock\n",
		r.Scenario, r.Clusters, r.NodeHosts, r.Drummers, r.Seed, r.World, r.Clock)
	done(t, r)
	repaired(t, r)
	verified(t, r)
	expected(t, r)
	fmt.Fprintf(t, "\nverdict: %s\n", strings.ToUpper(string(r.Verdict)))
	if r.Reason != "" {
		fmt.Fprintf(t, "%s\n", r.Reason)
	}
	fmt.Fprintf(t, "%s, %s\n", Pace(r), r.Dir)
	if r.Fingerprint != "" {
		fmt.Fprintf(t, "fingerprint: %s%s\n", r.Fingerprint, foreign(r.Foreign))
	}
	if r.Explored != nil {
		fmt.Fprintf(t, "explored: %s\n", explored(r.Explored))
	}
	fmt.Fprintf(t, "reproduce: %s\n", r.Reproduce)
	return t.Flush()
}

// foreign says whether an exact run can be relied on to repeat.
func foreign(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (not repeatable: woken %d times from outside)", n)
}

// explored says in which order goroutines ran.
func explored(e *judge.Explored) string {
	text := fmt.Sprintf("order %s, %s goroutines preempted", e.Order, Count(int64(e.Preempted)))
	if e.MaxPauseMS > 0 {
		text += fmt.Sprintf(" for up to %g ms", e.MaxPauseMS)
	}
	return text + fmt.Sprintf(" in %s decisions", Count(int64(e.Decisions)))
}

func done(t io.Writer, r *judge.Result) {
	fmt.Fprint(t, "\nWhat was done to the system\n")
	if r.Operator != nil {
		fmt.Fprintf(t, "  %s\n", operator(r.Operator))
	}
	if len(r.Faults) == 0 {
		if r.Operator == nil {
			fmt.Fprint(t, "  nothing\n")
		}
		return
	}
	fmt.Fprint(t, "  fault\ttarget\tinjected\ttook effect\tskipped\tlate\tin total\n")
	for _, f := range r.Faults {
		fmt.Fprintf(t, "  %s\t%s\t%d\t%d\t%d\t%s\t%s\n", kindOf(f), f.Target, f.Injected, f.Effect, f.Skipped, late(f.MaxLateSeconds), effects(f.Effects))
	}
}

// late says by how much something came late, at most.
func late(seconds float64) string {
	if seconds < 0.05 { // rounds to nothing
		return "no"
	}
	return fmt.Sprintf("%.1f s", seconds)
}

// operator says what became of the scenario's actions.
func operator(o *judge.Operator) string {
	text := fmt.Sprintf("the operator: %d of %d actions were accepted; late: %s", o.Accepted, o.Actions, late(o.MaxLateSeconds))
	if o.Failed != "" {
		text += "; not accepted: " + shorten(o.Failed)
	}
	return text
}

// kindOf names the kind of a row of faults.
func kindOf(f judge.Fault) string {
	if f.Forever {
		return f.Kind + " forever"
	}
	return f.Kind
}

// effects writes an effect as a phrase.
func effects(e world.Effect) string {
	var parts []string
	e.Each(func(n int64, what string) { parts = append(parts, Count(n)+" "+what) })
	if len(parts) == 0 {
		return "no effect"
	}
	return strings.Join(parts, ", ")
}

func repaired(t io.Writer, r *judge.Result) {
	fmt.Fprint(t, "\nHow it was repaired\n")
	p := r.Repair
	fmt.Fprintf(t, "  repairs by a replacement\t%s\n", repairs(p))
	fmt.Fprintf(t, "  repairs by the return of members\t%d\n", p.Restored)
	if p.Moved > 0 {
		fmt.Fprintf(t, "  moves without a failure\t%d\n", p.Moved)
	}
	if p.MaxOutageSeconds > 0 {
		fmt.Fprintf(t, "  longest time without a majority of running members\t%.1f s\n", p.MaxOutageSeconds)
	}
	fmt.Fprintf(t, "  longest write stall\t%.1f s%s\n", p.MaxWriteStallSeconds, excused(p))
	if p.ReplacementStallSeconds > 0 {
		fmt.Fprintf(t, "  longest write stall by a replacement alone\t%.1f s\n", p.ReplacementStallSeconds)
	}
	if len(r.Drummer) > 0 {
		fmt.Fprintf(t, "  asked by Drummer\t%s\n", activityText(r.Drummer))
	}
}

// activityText writes what Drummer asked NodeHosts to do as a phrase.
func activityText(a judge.Activity) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(a)) {
		parts = append(parts, fmt.Sprintf("%d %s", a[kind], kind))
	}
	return strings.Join(parts, ", ")
}

// repairs writes how often members were replaced, and how fast.
func repairs(p judge.Repair) string {
	if p.Count == 0 {
		return "none"
	}
	return fmt.Sprintf("%d, half of them within %.0f s, all within %.0f s", p.Count, p.P50Seconds, p.MaxSeconds)
}

// missed says how many operations could not begin.
func missed(o judge.Ops) string {
	if o.Missed == 0 {
		return "none missed"
	}
	return Count(int64(o.Missed)) + " missed, as all clients waited"
}

// excused says how long the longest write stall was that counts for nothing.
func excused(p judge.Repair) string {
	if p.MaxExcusedStallSeconds == 0 {
		return ""
	}
	return fmt.Sprintf("; %.1f s where there was no quorum for most of it", p.MaxExcusedStallSeconds)
}

func verified(t io.Writer, r *judge.Result) {
	fmt.Fprint(t, "\nWhat was verified\n")
	fmt.Fprintf(t, "  %s operations: %s ok, %s failed, %s of unknown outcome; %s checked; %s\n",
		Count(int64(r.Ops.OK+r.Ops.Fail+r.Ops.Unknown)), Count(int64(r.Ops.OK)), Count(int64(r.Ops.Fail)),
		Count(int64(r.Ops.Unknown)), Count(int64(r.Ops.Checked)), missed(r.Ops))
	fmt.Fprintf(t, "  %s\n  %s\n", overlap(r.Concurrency), timing(r.Timing))
	for _, c := range worstFirst(r.Checks) {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", markOf(c), c.Name, shorten(c.Detail))
	}
	if len(r.Disabled) > 0 {
		fmt.Fprintf(t, "  switched off: %s\n", strings.Join(r.Disabled, ", "))
	}
}

// overlap says how concurrent the history was.
func overlap(c judge.Concurrency) string {
	return fmt.Sprintf("%.1f %% of those that succeeded overlap another one on their key; latency %.1f ms in the mean, %.1f ms at the 99th percentile; %.0f %% of reads at followers; %s elections, %s changes of leader",
		100*c.Overlapping, c.MeanLatency, c.P99Latency, 100*c.FollowerReads, Count(int64(c.Elections)), Count(int64(c.LeaderChanges)))
}

// timing says how long things took in the world, which is what makes operations
// overlap.
func timing(x judge.Timing) string {
	network := "network without latency"
	if x.Network != (judge.Spread{}) {
		network = "a message takes " + spread(x.Network)
	}
	disk := "disks take no time"
	if x.Sync != (judge.Spread{}) {
		disk = "a sync " + spread(x.Sync)
	}
	if x.LogDB == scenarios.LogInMemory {
		disk += "; Dragonboat's logs were in memory, with a journal on disk"
	}
	return network + "; " + disk
}

func spread(s judge.Spread) string {
	if s.Min == s.P99 {
		return fmt.Sprintf("%v ms", s.Median)
	}
	return fmt.Sprintf("%v ms (99th percentile: %v ms)", s.Median, s.P99)
}

// expected shows what the scenario expects, if it does.
func expected(t io.Writer, r *judge.Result) {
	if len(r.Expect) == 0 {
		return
	}
	fmt.Fprint(t, "\nWhat was expected\n")
	for _, e := range r.Expect {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", mark(e.Verdict), e.Name, shorten(e.Detail))
	}
}

// maxDetail is how much of a detail the table shows, in characters.
const maxDetail = 400

func shorten(detail string) string {
	if r := []rune(detail); len(r) > maxDetail {
		return string(r[:maxDetail]) + " … (all of it is in result.json)"
	}
	return detail
}

// worstFirst keeps the order of checks among those with the same verdict.
func worstFirst(checks []judge.Check) []judge.Check {
	rank := map[judge.Verdict]int{judge.Violation: 0, judge.Inconclusive: 1, judge.Pass: 2}
	sorted := slices.Clone(checks)
	slices.SortStableFunc(sorted, func(a, b judge.Check) int { return cmp.Compare(rank[a.Verdict], rank[b.Verdict]) })
	return sorted
}

// markOf is the mark of a check: one that only measured did not find all well.
func markOf(c judge.Check) string {
	if c.Measured {
		return "measured"
	}
	return mark(c.Verdict)
}

func mark(v judge.Verdict) string {
	switch v {
	case judge.Pass:
		return "ok"
	case judge.Violation:
		return "VIOLATION"
	}
	return "inconclusive"
}

// Count writes a number with thousands separated.
func Count(n int64) string {
	if n < 0 {
		return "-" + Count(-n)
	}
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", Count(n/1000), n%1000)
}

// Pace says how long the run was, and how long it took if that is known: the
// wall time of a run that was killed is not.
func Pace(r *judge.Result) string {
	if r.WallSeconds == 0 {
		return minutes(r.VirtualSeconds)
	}
	text := fmt.Sprintf("%s in %.1f s (%.0f×)", minutes(r.VirtualSeconds), r.WallSeconds, r.Compression)
	if r.CPUSeconds > 0 {
		text += fmt.Sprintf(", %.1f s of processor time and %.0f MB", r.CPUSeconds, float64(r.PeakMemory)/1e6)
	}
	return text
}

// minutes writes seconds as people say them.
func minutes(s float64) string {
	if s < 120 {
		return fmt.Sprintf("%.0f s", s)
	}
	return fmt.Sprintf("%.1f min", s/60)
}
