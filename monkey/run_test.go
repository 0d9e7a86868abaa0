// SPDX-License-Identifier: Apache-2.0

package monkey_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

func TestMain(m *testing.M) {
	harness.MainIfChild()
	os.Exit(m.Run())
}

// short makes options for a run of a minute and a half of virtual time, with
// everything in it.
func short(t *testing.T, seed uint64, sets ...string) harness.Options {
	t.Helper()
	return harness.Options{
		File: "../scenarios/quickstart.yaml", Seed: seed, World: harness.WorldSim, Clock: harness.ClockVirtual,
		Out: t.TempDir(), Duration: 90 * time.Second,
		Sets: append([]string{
			"clusters.count=6", "checks.evidence.min_operations=500",
			"faults=[{kind: kill, target: nodehost, every: 30s, for: 5s..10s, at_least: 1}, " +
				"{kind: power-loss, target: nodehost, count: 1, for: 5s, at_least: 1}, " +
				"{kind: kill, target: drummer-leader, count: 1, for: 10s, at_least: 1}, " +
				"{kind: kill, target: nodehost, count: 1, forever: true, before: 30s, at_least: 1}]",
		}, sets...),
	}
}

// check finds a check of a result by name.
func check(t *testing.T, r *judge.Result, name string) judge.Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("the result has no check %q", name)
	return judge.Check{}
}

func TestRunRepairsAndPasses(t *testing.T) {
	o := short(t, 1)
	r, err := harness.Run(t.Context(), o)
	require.NoError(t, err)
	require.Equal(t, judge.Pass, r.Verdict, "%+v", r.Checks)
	require.Greater(t, r.Ops.Checked, 500)
	require.Positive(t, r.Repair.Count, "the nodes of the dead host were replaced")
	latest := filepath.Join(o.Out, "latest")
	for _, name := range []string{"scenario.yaml", "result.json", "junit.xml", "report.html", "history.jsonl.zst", "events.jsonl", "logs"} {
		_, err := os.Stat(filepath.Join(latest, name))
		require.NoError(t, err)
	}
	b, err := os.ReadFile(filepath.Join(latest, "result.json"))
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(b, &fields))
	for _, name := range []string{"verdict", "scenario", "seed", "world", "virtual_seconds", "wall_seconds", "compression",
		"clusters", "nodehosts", "drummers", "ops", "faults", "checks", "repair", "reproduce"} {
		require.Contains(t, fields, name)
	}

	again, err := harness.Check(t.Context(), latest)
	require.NoError(t, err)
	require.Equal(t, r.Verdict, again.Verdict, "judged again from what is on disk")
	require.Equal(t, r.Ops, again.Ops)
	require.Equal(t, len(r.Checks), len(again.Checks))
}

func TestRunFindsThePlantedBug(t *testing.T) {
	r, err := harness.Run(t.Context(), short(t, 2, "clusters.bug={kind: drop-update, every: 20}", "workload.rate=60"))
	require.NoError(t, err)
	require.Equal(t, judge.Violation, r.Verdict)
	c := check(t, r, invariant.Linearizability)
	require.Equal(t, judge.Violation, c.Verdict)
	require.NotZero(t, c.Cluster)
	require.NotEmpty(t, c.Key)
	require.NotEmpty(t, c.Operations)
	require.Contains(t, c.Detail, c.Key)

	// result.json has the operations as the history has them.
	var read judge.Result
	require.NoError(t, rundir.ReadJSON(r.Dir, rundir.ResultFile, &read))
	require.Equal(t, c.Operations, check(t, &read, invariant.Linearizability).Operations)

	// report.html draws them, and judging again draws the same.
	page, err := os.ReadFile(filepath.Join(r.Dir, rundir.ReportFile))
	require.NoError(t, err)
	drawn := 0 // a bug may show on several keys before the run stops
	for _, x := range r.Checks {
		drawn += len(x.Operations)
	}
	require.Equal(t, drawn, strings.Count(string(page), ` core" transform=`))
	require.NoError(t, os.Remove(filepath.Join(r.Dir, rundir.ReportFile)))
	_, err = harness.Check(t.Context(), r.Dir)
	require.NoError(t, err)
	again, err := os.ReadFile(filepath.Join(r.Dir, rundir.ReportFile))
	require.NoError(t, err)
	require.Equal(t, string(page), string(again))
}

func TestARunStopsAtTheFirstViolationUnlessToldOtherwise(t *testing.T) {
	bug := []string{"clusters.bug={kind: drop-update, every: 20}", "workload.rate=60"}
	early, err := harness.Run(t.Context(), short(t, 5, bug...))
	require.NoError(t, err)
	require.Equal(t, judge.Violation, early.Verdict)
	require.Contains(t, check(t, early, "process").Detail, "stopped at the first violation")

	late, err := harness.Run(t.Context(), short(t, 5, append(bug, "checks.linearizability.stop=false")...))
	require.NoError(t, err)
	require.Equal(t, judge.Violation, late.Verdict)
	require.Greater(t, late.VirtualSeconds, early.VirtualSeconds)
	require.Greater(t, late.VirtualSeconds, 90.0)
	require.Equal(t, judge.Violation, check(t, late, "digests").Verdict)
}

func TestInterruptedRunLeavesAHistoryThatIsJudged(t *testing.T) {
	o := short(t, 3)
	o.Duration = 24 * time.Hour
	ctx, interrupt := context.WithCancel(t.Context())
	o.Progress = func(p harness.Progress) {
		if p.Phase == "faults" && p.Ops > 500 {
			interrupt()
		}
	}
	r, err := harness.Run(ctx, o)
	require.NoError(t, err)
	require.Equal(t, judge.Inconclusive, r.Verdict, "%+v", r.Checks)
	require.Greater(t, r.Ops.OK, 400)
	run, err := history.ReadRun(r.Dir)
	require.NoError(t, err)
	require.False(t, run.Truncated, "it ended in good order")
	require.Equal(t, judge.Pass, check(t, r, invariant.Linearizability).Verdict)
}

func TestARunWhoseProcessWasKilledIsJudgedAsFarAsItCame(t *testing.T) {
	o := short(t, 4)
	r, err := harness.Run(t.Context(), o)
	require.NoError(t, err)
	require.Equal(t, judge.Pass, r.Verdict, "%+v", r.Checks)
	whole, err := history.ReadRun(r.Dir)
	require.NoError(t, err)
	// As after SIGKILL: no facts, no end, a history that stops in the middle, and the
	// writes that were sent before they had an end.
	for _, name := range []string{rundir.FactsFile, rundir.EndFile, rundir.ResultFile} {
		require.NoError(t, os.Remove(filepath.Join(r.Dir, name)))
	}
	path := filepath.Join(r.Dir, history.FileName)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, b[:len(b)*2/3], 0o644))
	cut, err := history.ReadRun(r.Dir)
	require.NoError(t, err)
	var pending []byte
	for _, op := range whole.Ops {
		if op.Kind.Mutates() && !slices.ContainsFunc(cut.Ops, func(o history.Op) bool { return o.ID == op.ID }) {
			op = history.Op{ID: op.ID, Client: op.Client, Cluster: op.Cluster, Key: op.Key, Kind: op.Kind, Value: op.Value, Expected: op.Expected, Writer: op.Writer,
				Session: op.Session, Seq: op.Seq, Host: op.Host, Call: op.Call, Outcome: history.Unknown}
			pending, err = op.AppendJSON(pending)
			require.NoError(t, err)
		}
	}
	require.NoError(t, os.WriteFile(filepath.Join(r.Dir, history.PendingName), pending, 0o644))
	killed, err := harness.Check(t.Context(), r.Dir)
	require.NoError(t, err)
	require.Equal(t, judge.Inconclusive, killed.Verdict, "%+v", killed.Checks)
	require.Positive(t, killed.Ops.OK)
	require.Less(t, killed.Ops.OK, r.Ops.OK)
}

func TestUsageErrors(t *testing.T) {
	for name, change := range map[string]func(*harness.Options){
		"unknown world":    func(o *harness.Options) { o.World = "moon" },
		"unknown clock":    func(o *harness.Options) { o.Clock = "sundial" },
		"missing file":     func(o *harness.Options) { o.File = "nowhere.yaml" },
		"unknown scenario": func(o *harness.Options) { o.File = "quickstrat" },
		"bad setting":      func(o *harness.Options) { o.Sets = []string{"clusters.size"} },
		"unknown field":    func(o *harness.Options) { o.Sets = []string{"clusters.sise=3"} },
		"takes an exact run": func(o *harness.Options) {
			o.Sets = []string{"faults=[{kind: pause, target: nodehost, count: 1, for: 5s}]"}
		},
		"impossible count":   func(o *harness.Options) { o.Sets = []string{"clusters.size=7"} },
		"output not a place": func(o *harness.Options) { o.Out = filepath.Join(o.File, "runs") },
	} {
		t.Run(name, func(t *testing.T) {
			o := short(t, 1)
			change(&o)
			_, err := harness.Run(t.Context(), o)
			var usage harness.UsageError
			require.True(t, errors.As(err, &usage), "%v", err)
		})
	}
}
