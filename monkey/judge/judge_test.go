// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// made is the directory of a run that nobody carried out: one cluster, a
// write and a read before, during and after a kill.
type made struct {
	t       *testing.T
	dir     string
	ops     []history.Op
	events  []rundir.Event
	outcome *rundir.Outcome
	end     *rundir.End
}

const scenarioText = `name: made
duration: 1m
clusters: {count: 1, size: 1}
deployment: {nodehosts: 1, drummers: 1}
faults: [{kind: kill, target: nodehost, count: 1, for: 5s, at_least: 1, lose_quorum: true}]
checks: {evidence: {min_operations: 3}}
`

func second(n int) int64 { return int64(n) * int64(time.Second) }

func get(at int, observed string) history.Op {
	return history.Op{Client: 1, Cluster: 1, Key: "1/k", Kind: history.Get, Call: second(at), Return: second(at) + 10, Outcome: history.OK, Observed: history.String(observed)}
}

func newMade(t *testing.T) *made {
	at := func(n int) time.Duration { return time.Duration(n) * time.Second }
	bit := &world.Effect{ProcessesEnded: 1}
	return &made{
		t: t, dir: t.TempDir(),
		ops: []history.Op{
			{Client: 2, Cluster: 1, Key: "1/k", Kind: history.Put, Value: history.String("a"), Call: second(1), Return: second(2), Outcome: history.OK},
			get(12, "a"), get(30, "a"),
		},
		events: []rundir.Event{
			{At: at(1), Kind: rundir.Leader, Cluster: 1, Term: 2, Node: 1, LeaderID: 1},
			{At: at(10), Kind: rundir.FaultBegin, Fault: "kill", Target: "nodehost", ID: 1, Hosts: []string{"nodehost-1"}, Effect: bit},
			{At: at(15), Kind: rundir.FaultEnd, Fault: "kill", Target: "nodehost", ID: 1, Hosts: []string{"nodehost-1"}, Effect: bit},
			{At: at(25), Kind: rundir.Phase, Text: rundir.Probe},
		},
		outcome: &rundir.Outcome{
			Elapsed: time.Minute, Finished: true, Launched: 1, Launch: time.Second, Settled: true,
			Facts: invariant.Facts{
				Clusters:    []invariant.Cluster{{Cluster: 1, Size: 1}},
				Hosts:       []invariant.Host{{Host: "nodehost-1", Address: "nodehost-1:1", Alive: true, Running: []invariant.Node{{Cluster: 1, Node: 1}}}},
				Picture:     []invariant.PictureNode{{Cluster: 1, Node: 1, Host: "nodehost-1", Alive: true, Voter: true}},
				Memberships: []invariant.Membership{{Cluster: 1, Node: 1, Version: 1, Voters: map[uint64]string{1: "nodehost-1:1"}, Removed: []uint64{}}},
				Digests:     []invariant.Digest{{Cluster: 1, Node: 1, Index: 1, Sum: "x", Final: true}},
				Probes:      []invariant.Probe{{Cluster: 1, Kind: "write", OK: true}, {Cluster: 1, Kind: "read", OK: true}},
				Repairs:     []invariant.Repair{},
			},
		},
		end: &rundir.End{},
	}
}

// judge writes the directory and judges it.
func (m *made) judge() *Result {
	m.t.Helper()
	require.NoError(m.t, rundir.WriteJSON(m.dir, rundir.RunFile, rundir.Run{Scenario: "made", Seed: 4}))
	require.NoError(m.t, rundir.WriteFile(m.dir, rundir.ScenarioFile, []byte(scenarioText)))
	rec, err := history.NewRecorder(m.dir)
	require.NoError(m.t, err)
	for _, op := range m.ops {
		h, err := rec.Invoke(op)
		require.NoError(m.t, err)
		_, err = rec.Return(h, history.Answer{Outcome: op.Outcome, Observed: op.Observed, Return: op.Return})
		require.NoError(m.t, err)
	}
	require.NoError(m.t, rec.Close())
	events, err := rundir.CreateEvents(m.dir, time.Unix(0, 0))
	require.NoError(m.t, err)
	for _, ev := range m.events {
		events.AddAt(time.Unix(0, int64(ev.At)), ev)
	}
	require.NoError(m.t, events.Close())
	for name, v := range map[string]any{rundir.FactsFile: m.outcome, rundir.EndFile: m.end} {
		require.NoError(m.t, rundir.WriteJSON(m.dir, name, v))
	}
	r, _, _, err := Judge(context.Background(), m.dir)
	require.NoError(m.t, err)
	return r
}

// findings lists the checks that are no pass.
func findings(r *Result) map[string]Verdict {
	all := map[string]Verdict{}
	for _, c := range r.Checks {
		if c.Verdict != Pass {
			all[c.Name] = c.Verdict
		}
	}
	return all
}

func TestEachKindOfTroubleHasItsVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(m *made)
		verdict Verdict
		wanted  map[string]Verdict
	}{
		"nothing wrong": {func(*made) {}, Pass, map[string]Verdict{}},
		"a stale read": {func(m *made) { m.ops[1] = get(12, "never written") },
			Violation, map[string]Verdict{Linearizability: Violation}},
		"a panic": {func(m *made) { m.end.Panic, m.outcome.Finished = "rsm: out of order", false },
			Violation, map[string]Verdict{Process: Violation}},
		"a host that does not boot": {func(m *made) {
			m.events = append(m.events, rundir.Event{At: time.Minute, Kind: rundir.BootFailed, Text: "bad checksum"})
		}, Violation, map[string]Verdict{Process: Violation}},
		"a hidden panic":  {func(m *made) { m.outcome.Hidden = []string{"gone"} }, Violation, map[string]Verdict{Process: Violation}},
		"an interruption": {func(m *made) { m.outcome.Finished = false }, Inconclusive, map[string]Verdict{Process: Inconclusive}},
		"an incomplete launch": {func(m *made) { m.outcome.Launched = 0 },
			Violation, map[string]Verdict{Launch: Violation}},
		"a fault that did not bite": {func(m *made) {
			m.events[1].Effect, m.events[2].Effect = &world.Effect{}, &world.Effect{}
		}, Inconclusive, map[string]Verdict{FaultsBit: Inconclusive, invariant.NameEvidence: Inconclusive}},
		"too few operations": {func(m *made) { m.ops = append(m.ops[:1], m.ops[2]) }, Inconclusive, map[string]Verdict{invariant.NameEvidence: Inconclusive}},
		"two leaders in a term": {func(m *made) {
			m.events = append(m.events, rundir.Event{At: time.Minute, Kind: rundir.Leader, Cluster: 1, Term: 2, Node: 2, LeaderID: 2})
		}, Violation, map[string]Verdict{invariant.NameLeaders: Violation}},
		"a member that does not run": {func(m *made) { m.outcome.Facts.Hosts[0].Running = []invariant.Node{} },
			Violation, map[string]Verdict{invariant.NamePicture: Violation, invariant.NameZombies: Inconclusive}},
		"a cluster that changes": {func(m *made) { m.outcome.Facts.Changing = []uint64{1} },
			Inconclusive, map[string]Verdict{invariant.NamePicture: Inconclusive, invariant.NameZombies: Inconclusive}},
		"a cluster without a leader": {func(m *made) { m.events = m.events[1:] },
			Inconclusive, map[string]Verdict{invariant.NameLeaders: Inconclusive}},
		"a key that nobody read after healing": {func(m *made) { m.events[3].At = 40 * time.Second },
			Inconclusive, map[string]Verdict{invariant.NameWrites: Inconclusive}},
		"an acknowledged write that is gone": {func(m *made) {
			m.ops = append(m.ops, history.Op{Client: 2, Cluster: 1, Key: "1/k", Kind: history.Append, Value: history.String("b"), Call: second(20), Return: second(21), Outcome: history.OK})
		}, Violation, map[string]Verdict{Linearizability: Violation, invariant.NameWrites: Violation}},
		"a read back as soon as the write returned": {func(m *made) {
			m.ops = append(m.ops, history.Op{Client: 2, Cluster: 1, Key: "1/k", Kind: history.Append, Value: history.String("b"), Call: second(20), Return: second(32), Outcome: history.OK}, get(32, "ab"))
		}, Pass, map[string]Verdict{}},
		"a killed run": {func(m *made) { m.outcome = nil },
			Inconclusive, map[string]Verdict{Process: Inconclusive, Launch: Inconclusive}},
		"a digest too few": {func(m *made) { m.outcome.Facts.Clusters[0].Size = 2 },
			Violation, map[string]Verdict{invariant.NameDigests: Inconclusive, invariant.NameMembership: Inconclusive, invariant.NamePicture: Violation}},
		"a cluster that answers nothing": {func(m *made) { m.outcome.Facts.Probes[0].OK = false },
			Violation, map[string]Verdict{invariant.NameLiveness: Violation}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMade(t)
			c.change(m)
			r := m.judge()
			require.Equal(t, c.verdict, r.Verdict, "%+v", r.Checks)
			require.Equal(t, c.wanted, findings(r))
		})
	}
}

func TestAViolationNamesClusterKeyAndOperations(t *testing.T) {
	m := newMade(t)
	m.ops[1] = get(12, "never written")
	for _, c := range m.judge().Checks {
		if c.Name == Linearizability {
			require.EqualValues(t, 1, c.Cluster)
			require.Equal(t, "1/k", c.Key)
			require.NotEmpty(t, c.Operations)
			require.Contains(t, c.Detail, "cluster 1, key 1/k: ")
		}
	}
}

func TestEveryKeyThatIsNotLinearizableIsExplained(t *testing.T) {
	m := newMade(t)
	for n := range maxViolations + 2 {
		read := get(20, "never written")
		read.Key = fmt.Sprintf("1/k%d", n)
		m.ops = append(m.ops, read)
	}
	keys := map[string]bool{}
	detail := ""
	for _, c := range m.judge().Checks {
		if c.Name == Linearizability {
			require.NotEmpty(t, c.Operations)
			require.Contains(t, c.Detail, c.Key)
			keys[c.Key] = true
			detail += c.Detail
		}
	}
	require.Len(t, keys, maxViolations)
	require.Equal(t, 1, strings.Count(detail, "2 more keys are not linearizable"))
}

func TestWhatIsNoRunIsRefused(t *testing.T) {
	_, _, _, err := Judge(context.Background(), t.TempDir())
	require.ErrorContains(t, err, "can't be judged")
	m := newMade(t)
	m.judge()
	require.NoError(t, os.WriteFile(filepath.Join(m.dir, rundir.EventsFile), []byte("{}\nnonsense\n{}\n"), 0o644))
	_, _, _, err = Judge(context.Background(), m.dir)
	require.ErrorContains(t, err, "events.jsonl:2")
}

func TestWorse(t *testing.T) {
	require.Equal(t, Violation, Worse(Inconclusive, Violation))
	require.Equal(t, Inconclusive, Worse(Pass, Inconclusive))
	require.Equal(t, []int{0, 1, 2}, []int{ExitCode(Pass), ExitCode(Violation), ExitCode(Inconclusive)})
}
