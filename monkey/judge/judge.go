// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	for _, c := range invariant.Checks() {
		scenarios.RegisterCheck(scenarios.CheckKind{Key: c.Key, Doc: c.Doc, Settings: c.Settings, NeverViolates: c.NeverViolates})
	}
}

// Judge judges a run by every check that its scenario enables, and by what the
// scenario expects. dir is where the run's files are.
func Judge(ctx context.Context, dir string, r *Recording) *Result {
	facts := r.facts()
	res := r.summary(dir, facts)
	for _, f := range invariant.Judge(ctx, facts, r.settings) {
		res.Checks = append(res.Checks, Check{Name: f.Check, Verdict: f.Verdict, Detail: f.Detail, Measured: f.Measured,
			Cluster: f.Cluster, Key: f.Key, Operations: f.Operations})
		res.Ops.Checked += f.Checked
	}
	res.Expect = r.expectations(facts, res)
	res.Verdict = Pass
	if !slices.ContainsFunc(res.Checks, canViolate) {
		res.Verdict, res.Reason = Inconclusive, "no check was made that could have found a violation"
	}
	for _, c := range res.Checks {
		res.Verdict = invariant.Worst(res.Verdict, c.Verdict)
	}
	for _, e := range res.Expect {
		res.Verdict = invariant.Worst(res.Verdict, e.Verdict)
	}
	return res
}

// canViolate reports whether a check could have found a violation.
func canViolate(c Check) bool {
	kind, known := scenarios.CheckKindOf(c.Name)
	return known && !kind.NeverViolates && !c.Measured
}

// settings are what the scenario says of a check.
func (r *Recording) settings(c invariant.Check) (of any, enabled bool) {
	return r.Scenario.Checks.Settings(c.Key), r.Scenario.Checks.Enabled(c.Key)
}

// summary makes the part of a result that only counts.
func (r *Recording) summary(dir string, facts *invariant.Facts) *Result {
	s := r.Scenario
	res := &Result{
		Scenario: r.Run.Scenario, Seed: r.Run.Seed, World: r.Run.World, Clock: r.Run.Clock,
		VirtualSeconds: r.elapsed().Seconds(),
		Clusters:       s.Clusters.Count, NodeHosts: s.Deployment.NodeHosts, Drummers: s.Deployment.Drummers,
		Reproduce: r.Run.Reproduce, Dir: dir,
		Faults: r.faultRows(), Operator: r.operator(facts), Repair: r.repair(facts.Stalls), Drummer: r.activity(), Concurrency: concurrency(r.History.Ops),
	}
	for _, c := range invariant.Checks() {
		if !s.Checks.Enabled(c.Key) {
			res.Disabled = append(res.Disabled, c.Key)
		}
	}
	res.Concurrency.Elections, res.Concurrency.LeaderChanges = len(facts.Leaders), leaderChanges(facts.Leaders)
	res.Concurrency.FollowerReads = followerReads(r.History.Ops, facts.Leaders)
	res.Timing = timing(s)
	res.Ops.Asked, res.Ops.Missed = facts.Asked, facts.Missed
	for i := range r.History.Ops {
		switch r.History.Ops[i].Outcome {
		case history.OK:
			res.Ops.OK++
		case history.Fail:
			res.Ops.Fail++
		default:
			res.Ops.Unknown++
		}
	}
	if r.Exact != nil {
		res.Fingerprint, res.Foreign = fmt.Sprintf("%016x", r.Exact.Fingerprint), r.Exact.Foreign
		if e := s.Explore; e != nil {
			res.Explored = &Explored{Order: e.Order, Preemptions: e.Preemptions, Preempted: r.Exact.Preempted,
				MaxPauseMS: float64(e.Pause.D()) / float64(time.Millisecond), Horizon: e.Horizon, Decisions: r.Exact.Decisions}
		}
	}
	if r.End != nil {
		res.CPUSeconds, res.PeakMemory = r.End.CPU.Seconds(), r.End.PeakMemory
	}
	if bug := s.Clusters.Bug; bug != nil {
		res.Bug = &Bug{Kind: bug.Kind}
		if r.Outcome != nil && r.Outcome.Bug != nil {
			res.Bug.Strikes, res.Bug.Occasions, res.Bug.Counted = r.Outcome.Bug.Strikes, r.Outcome.Bug.Occasions, true
		}
	}
	return res
}
