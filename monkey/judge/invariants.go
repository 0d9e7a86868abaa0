// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// invariants runs the checks that the scenario enables on the facts of the
// run. A run that was killed has fewer facts, and fewer of them apply.
func (e *evidence) invariants(f *invariant.Facts) []Check {
	l := e.limits()
	findings := []invariant.Finding{invariant.LeaderPerTerm(f)}
	c := e.scenario.Checks
	if c.Enabled(keyEvidence) && !e.stoppedEarly() {
		findings = append(findings, invariant.Evidence(f, e.history.Ops, l))
	}
	if e.outcome == nil || !e.outcome.Finished {
		return checksOf(findings)
	}
	if c.Enabled(keyDigests) && slices.ContainsFunc(f.Clusters, func(c invariant.Cluster) bool { return c.Size > 1 }) { // one replica agrees with itself
		findings = append(findings, invariant.Digests(f))
	}
	if c.Enabled(keyMembership) {
		findings = append(findings, invariant.MembershipAgreement(f), invariant.Picture(f), invariant.Zombies(f))
	}
	if c.Enabled(keyAnswers) {
		findings = append(findings, invariant.Liveness(f), invariant.WritesPresent(f, e.history.Ops))
	}
	if c.Enabled(keyRepair) {
		findings = append(findings, invariant.RepairTime(f, l), invariant.WriteStall(f, l))
	}
	return checksOf(findings)
}

func checksOf(findings []invariant.Finding) []Check {
	var all []Check
	for _, f := range findings {
		all = append(all, Check{Name: f.Name, Verdict: f.Verdict, Detail: f.Detail})
	}
	return all
}

// facts completes the recorded facts with what the events and the history say.
func (e *evidence) facts() *invariant.Facts {
	var f invariant.Facts
	if e.outcome != nil {
		f = e.outcome.Facts
	}
	if f.Clusters == nil { // the run did not come that far
		for i := range e.scenario.Clusters.Count {
			f.Clusters = append(f.Clusters, invariant.Cluster{Cluster: uint64(i + 1), Size: e.scenario.Clusters.Size})
		}
	}
	f.Leaders = []invariant.Leader{}
	for _, ev := range e.events {
		if ev.Kind == rundir.Leader && ev.LeaderID != 0 {
			f.Leaders = append(f.Leaders, invariant.Leader{Cluster: ev.Cluster, Term: ev.Term, Node: ev.LeaderID, At: int64(ev.At)})
		}
	}
	f.Faults = e.injections()
	if since, ok := e.healed(); ok {
		f.Finals = finals(e.history.Ops, since)
	}
	f.Stalls = e.stalls(f.Clusters)
	return &f
}

// injections lists every fault with its measured effect.
func (e *evidence) injections() []invariant.Fault {
	begun := map[int]int{} // ID to place
	all := []invariant.Fault{}
	for _, ev := range e.events {
		switch ev.Kind {
		case rundir.FaultBegin:
			begun[ev.ID] = len(all)
			kind, _ := scenarios.FaultKindOf(ev.Fault)
			x := invariant.Fault{Kind: ev.Fault, Target: ev.Target, From: int64(ev.At), MayMiss: !kind.Down}
			if ev.Effect != nil {
				x.Effect = effectOf(ev)
			}
			all = append(all, x)
		case rundir.FaultEnd:
			if i, ok := begun[ev.ID]; ok {
				all[i].To = int64(ev.At)
				all[i].Effect = effectOf(ev)
			}
		}
	}
	return all
}

// effectOf is one number for an effect: what the kind of fault is about.
func effectOf(ev rundir.Event) int64 {
	return ev.Effect.ProcessesEnded + ev.Effect.MessagesDropped + ev.Effect.MessagesDelayed + ev.Effect.MessagesDuplicated + ev.Effect.BytesHeld
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

// healed is when the deployment was left alone, and asked what it holds; false
// if the run did not come that far.
func (e *evidence) healed() (int64, bool) {
	for _, ev := range e.events {
		if ev.Kind == rundir.Phase && ev.Text == rundir.Probe {
			return int64(ev.At), true
		}
	}
	return 0, false
}

// stalls finds each cluster's longest time without a completed write, by the
// history, and excuses those in which the cluster had no majority. Clusters that
// are to be no more are left out.
func (e *evidence) stalls(clusters []invariant.Cluster) []invariant.Stall {
	excused := func(cluster uint64, from, to int64) bool {
		return e.outcome != nil && slices.ContainsFunc(e.outcome.Outages, func(o rundir.Outage) bool {
			return o.Cluster == cluster && int64(o.From) < to && from < int64(o.To)
		})
	}
	stalls := invariant.WriteStalls(e.history.Ops, int64(e.elapsed()), excused)
	return slices.DeleteFunc(stalls, func(s invariant.Stall) bool {
		return !slices.ContainsFunc(clusters, func(c invariant.Cluster) bool { return c.Cluster == s.Cluster })
	})
}

func (e *evidence) limits() invariant.Limits {
	repair := e.scenario.Checks.Settings(keyRepair).(*repairSettings)
	return invariant.Limits{MaxRepair: int64(repair.Max), MaxStall: int64(repair.MaxWriteStall),
		MinOps: e.scenario.Checks.Settings(keyEvidence).(*evidenceSettings).MinOperations, MinOpsAround: 1}
}
