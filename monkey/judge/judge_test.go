// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	_ "github.com/drumbeat-raft/drumbeat/monkey/fault" // registers the faults that scenarios speak of
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	_ "github.com/drumbeat-raft/drumbeat/monkey/statemachine/mutant" // and the bugs
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// made is the directory of a run that nobody carried out: one cluster, a
// write and a read before, during and after a kill.
type made struct {
	t        *testing.T
	dir      string
	planted  bool   // with a bug
	scenario string // what it says besides
	checks   string // what it says of checks; empty: as in scenarioText
	ops      []history.Op
	events   []timeline.Entry
	outcome  *rundir.Outcome
	end      *rundir.End
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
	return history.Op{Client: 1, Cluster: 1, Key: "1/k", Kind: history.Get, Call: second(at), Return: second(at) + 10, Outcome: history.OK, Observed: history.String(observed), By: &history.Replica{Applied: 1}}
}

func newMade(t *testing.T) *made {
	at := func(n int) time.Duration { return time.Duration(n) * time.Second }
	effect := &world.Effect{ProcessesEnded: 1}
	return &made{
		t: t, dir: t.TempDir(),
		ops: []history.Op{
			{Client: 2, Cluster: 1, Key: "1/k", Kind: history.Put, Value: history.String("a"), Call: second(1), Return: second(2), Outcome: history.OK, By: &history.Replica{Applied: 1}},
			get(12, "a"), get(30, "a"),
		},
		events: []timeline.Entry{
			{At: at(1), Fact: timeline.LeaderAnnounced{Cluster: 1, Term: 2, Node: 1, Leader: 1}},
			{At: at(10), Fact: timeline.InjectionBegan{Fault: "kill", Target: "nodehost", ID: 1, Hosts: []string{"nodehost-1"}, Planned: at(10), Effect: effect}},
			{At: at(15), Fact: timeline.InjectionEnded{ID: 1, Effect: effect}},
			{At: at(25), Fact: timeline.PhaseBegan{Phase: timeline.Probe}},
			{At: at(25), Fact: timeline.Decided{Event: pb.EventOperationPlanned, Request: "start-node", Cluster: 1, Node: 1, NodeHost: "nhid-1"}},
		},
		outcome: &rundir.Outcome{
			Elapsed: time.Minute, Finished: true, Launched: 1, Launch: time.Second, Settled: true,
			Facts: invariant.Facts{
				Clusters:    []invariant.Cluster{{Cluster: 1, Size: 1}},
				Hosts:       []invariant.Host{{Host: "nodehost-1", Address: "nodehost-1:1", Alive: true, Running: []invariant.Node{{Cluster: 1, Node: 1}}, Stored: []invariant.Node{{Cluster: 1, Node: 1}}}},
				Picture:     []invariant.PictureNode{{Cluster: 1, Node: 1, Host: "nodehost-1", Alive: true, Voter: true}},
				Memberships: []invariant.Membership{{Cluster: 1, Node: 1, Version: 1, Voters: map[uint64]string{1: "nodehost-1:1"}, Removed: []uint64{}}},
				Audit:       &invariant.Audit{Looks: 1, States: 1, Operations: 1, Events: 1, Answers: 1, Breaches: []invariant.DrummerBreach{}},
				RaftSafety:  &invariant.RaftSafety{Votes: 1, Leaders: 1, Commits: 1, Breaches: []invariant.Breach{}},
				Digests:     []invariant.Digest{{Cluster: 1, Node: 1, Index: 1, Sum: "x"}},
				Servers:     1,
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
	text := scenarioText + m.scenario
	if m.checks != "" {
		text = strings.Replace(text, "evidence: {min_operations: 3}", m.checks, 1)
	}
	if m.planted {
		text = strings.Replace(text, "size: 1}", "size: 1, bug: {kind: lost-cas}}", 1)
	}
	require.NoError(m.t, rundir.WriteFile(m.dir, rundir.ScenarioFile, []byte(text)))
	rec, err := history.NewRecorder(m.dir)
	require.NoError(m.t, err)
	for _, op := range m.ops {
		h, err := rec.Invoke(op)
		require.NoError(m.t, err)
		_, err = rec.Return(h, history.Answer{Outcome: op.Outcome, Observed: op.Observed, Return: op.Return, By: op.By})
		require.NoError(m.t, err)
	}
	require.NoError(m.t, rec.Close())
	log, err := timeline.Create(m.dir, time.Unix(0, 0))
	require.NoError(m.t, err)
	for _, e := range m.events {
		log.AddAt(time.Unix(0, int64(e.At)), e.Fact)
	}
	require.NoError(m.t, log.Close())
	for name, v := range map[string]any{rundir.FactsFile: m.outcome, rundir.EndFile: m.end} {
		require.NoError(m.t, rundir.WriteJSON(m.dir, name, v))
	}
	left, err := Read(m.dir)
	require.NoError(m.t, err)
	return Judge(m.t.Context(), m.dir, left)
}

// late makes the fault one that was to begin twelve seconds before it did.
func (m *made) late(exact bool) {
	began := m.events[1].Fact.(timeline.InjectionBegan)
	began.Planned, began.Exact, began.Waited = m.events[1].At-12*time.Second, exact, "no leader"
	m.events[1].Fact = began
}

// skipped adds a fault that never began, and enough others for that to be few.
func (m *made) skipped(exact bool) {
	for id := range 4 {
		began := m.events[1].Fact.(timeline.InjectionBegan)
		began.ID = id + 2
		m.events = append(m.events, timeline.Entry{At: m.events[1].At, Fact: began}, timeline.Entry{At: m.events[2].At, Fact: timeline.InjectionEnded{ID: began.ID, Effect: began.Effect}})
	}
	m.events = append(m.events, timeline.Entry{At: 20 * time.Second, Fact: timeline.InjectionSkipped{ID: 9, Fault: "kill", Target: "nodehost", Planned: 18 * time.Second, Exact: exact, Reason: "no leader"}})
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

func TestAPanicNamesHostNodeAndTheFaultBefore(t *testing.T) {
	detail := func(change func(m *made)) string {
		m := newMade(t)
		m.outcome.Finished = false
		change(m)
		for _, c := range m.judge().Checks {
			if c.Name == "process" {
				return c.Detail
			}
		}
		return ""
	}
	require.Contains(t, detail(func(m *made) {
		m.end.Panic, m.end.Host, m.end.PanicAt = "rsm: [00003:00012] out of order", "nodehost-2", time.Hour
	}), `out of order" on nodehost-2, in node 12 of cluster 3; the last fault before was kill of nodehost-1 at `)
	require.Contains(t, detail(func(m *made) {
		m.end.Panic, m.end.PanicAt = "cluster 4, node 2, at index 17: nil map", 1
	}), `nil map" in node 2 of cluster 4; no fault had struck before`)
	require.Contains(t, detail(func(m *made) { m.end.Panic = "[00000:00002] gone" }), "in node 2 of cluster 0, DrummerDB; the last fault before was kill")
}

func TestEachKindOfTroubleHasItsVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(m *made)
		verdict Verdict
		wanted  map[string]Verdict
	}{
		"nothing wrong": {func(*made) {}, Pass, map[string]Verdict{}},
		"a stale read": {func(m *made) { m.ops[1] = get(12, "never written") },
			Violation, map[string]Verdict{"linearizability": Violation}},
		"a panic": {func(m *made) { m.end.Panic, m.outcome.Finished = "rsm: out of order", false },
			Violation, map[string]Verdict{"process": Violation}},
		"a host that does not boot": {func(m *made) {
			m.events = append(m.events, timeline.Entry{At: time.Minute, Fact: timeline.BootFailed{Host: "nodehost-1", Error: "bad checksum"}})
		}, Violation, map[string]Verdict{"process": Violation}},
		"a skipped fault":                      {func(m *made) { m.skipped(true) }, Inconclusive, map[string]Verdict{"evidence": Inconclusive}},
		"a skipped fault whose time was drawn": {func(m *made) { m.skipped(false) }, Pass, map[string]Verdict{}},
		"a late fault":                         {func(m *made) { m.late(true) }, Inconclusive, map[string]Verdict{"evidence": Inconclusive}},
		"a late fault whose time was drawn":    {func(m *made) { m.late(false) }, Pass, map[string]Verdict{}},
		"a hidden panic":                       {func(m *made) { m.outcome.Hidden = []string{"gone"} }, Violation, map[string]Verdict{"process": Violation}},
		"an interruption":                      {func(m *made) { m.outcome.Finished = false }, Inconclusive, map[string]Verdict{"process": Inconclusive}},
		"an incomplete launch": {func(m *made) { m.outcome.Launched = 0 },
			Violation, map[string]Verdict{"launch": Violation}},
		"a fault without effect": {func(m *made) {
			began := m.events[1].Fact.(timeline.InjectionBegan)
			began.Effect = &world.Effect{}
			m.events[1].Fact, m.events[2].Fact = began, timeline.InjectionEnded{ID: 1, Effect: &world.Effect{}}
		}, Inconclusive, map[string]Verdict{"effects": Inconclusive, "evidence": Inconclusive}},
		"too few operations": {func(m *made) { m.ops = append(m.ops[:1], m.ops[2]) }, Inconclusive, map[string]Verdict{"evidence": Inconclusive}},
		"two leaders in a term": {func(m *made) {
			m.events = append(m.events, timeline.Entry{At: time.Minute, Fact: timeline.LeaderAnnounced{Cluster: 1, Term: 2, Node: 2, Leader: 2}})
		}, Violation, map[string]Verdict{"leaders": Violation}},
		"a member that does not run": {func(m *made) { m.outcome.Facts.Hosts[0].Running = []invariant.Node{} },
			Violation, map[string]Verdict{"picture": Violation, "zombies": Inconclusive}},
		"a cluster that changes": {func(m *made) { m.outcome.Facts.Changing = []uint64{1} },
			Inconclusive, map[string]Verdict{"leftovers": Inconclusive, "picture": Inconclusive, "zombies": Inconclusive}},
		"a cluster without a leader": {func(m *made) { m.events = m.events[1:] },
			Inconclusive, map[string]Verdict{"leaders": Inconclusive}},
		"a key that nobody read after healing": {func(m *made) { m.events[3].At = 40 * time.Second },
			Inconclusive, map[string]Verdict{"writes": Inconclusive}},
		"an acknowledged write that is gone": {func(m *made) {
			m.ops = append(m.ops, history.Op{Client: 2, Cluster: 1, Key: "1/k", Kind: history.Append, Value: history.String("b"), Call: second(20), Return: second(21), Outcome: history.OK})
		}, Violation, map[string]Verdict{"linearizability": Violation, "writes": Violation}},
		"a read back as soon as the write returned": {func(m *made) {
			m.ops = append(m.ops, history.Op{Client: 2, Cluster: 1, Key: "1/k", Kind: history.Append, Value: history.String("b"), Call: second(20), Return: second(32), Outcome: history.OK}, get(32, "ab"))
		}, Pass, map[string]Verdict{}},
		"a run that stopped at two votes": {func(m *made) {
			m.events = append(m.events, timeline.Entry{At: 28 * time.Second, Fact: timeline.RaftBroken{Cluster: 1, Node: 3, Kind: string(invariant.TwoVotes), Term: 4}})
			m.outcome.Finished = false
			m.outcome.Facts.Clusters[0].Size = 3
			m.outcome.Facts.RaftSafety.Breaches = []invariant.Breach{{Kind: invariant.TwoVotes, Cluster: 1, Node: 3, Term: 4, Others: []uint64{1, 2}}}
		}, Violation, map[string]Verdict{"votes": Violation, "beliefs": Inconclusive, "divergence": Inconclusive}},
		"a killed run": {func(m *made) { m.outcome = nil },
			Inconclusive, map[string]Verdict{"process": Inconclusive, "launch": Inconclusive, "awareness": Inconclusive, "decisions": Inconclusive,
				"event_log": Inconclusive, "freshness": Inconclusive, "promises": Inconclusive, "soundness": Inconclusive}},
		"a digest too few": {func(m *made) { m.outcome.Facts.Clusters[0].Size = 2 },
			Violation, map[string]Verdict{"beliefs": Inconclusive, "digests": Inconclusive, "divergence": Inconclusive, "membership": Inconclusive, "picture": Violation}},
		"a cluster that answers nothing": {func(m *made) { m.outcome.Facts.Probes[0].OK = false },
			Violation, map[string]Verdict{"answers": Violation}},
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

// What the scenario's operator asks is on record: what is missing of it is not
// taken for done, and what came late is said.
func TestActionsAreJudgedByWhatDrummerAccepted(t *testing.T) {
	accepted := func(at, planned int) timeline.Entry {
		return timeline.Entry{At: time.Duration(at) * time.Second, Fact: timeline.OperatorActed{Action: "pause", Planned: time.Duration(planned) * time.Second, Text: "Drummer"}}
	}
	failed := timeline.Entry{At: 30 * time.Second, Fact: timeline.OperatorFailed{Action: "resume", Error: "no leader"}}
	for name, c := range map[string]struct {
		events []timeline.Entry
		want   Operator
		bad    map[string]Verdict
	}{
		"both":    {[]timeline.Entry{accepted(20, 20), accepted(32, 30)}, Operator{Actions: 2, Accepted: 2, MaxLateSeconds: 2}, map[string]Verdict{}},
		"a late":  {[]timeline.Entry{accepted(20, 20), accepted(45, 30)}, Operator{Actions: 2, Accepted: 2, MaxLateSeconds: 15}, map[string]Verdict{"evidence": Inconclusive}},
		"failed":  {[]timeline.Entry{accepted(20, 20), failed}, Operator{Actions: 2, Accepted: 1, Failed: "resume: no leader"}, map[string]Verdict{"actions": Inconclusive}},
		"no fact": {nil, Operator{Actions: 2}, map[string]Verdict{"actions": Inconclusive}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMade(t)
			m.scenario = "actions: [{do: pause, at: 10s}, {do: resume, at: 20s}]\n"
			m.events = append(m.events, c.events...)
			r := m.judge()
			require.Equal(t, &c.want, r.Operator)
			require.Equal(t, c.bad, findings(r))
		})
	}
	require.Nil(t, newMade(t).judge().Operator, "the scenario has no actions")
}

// A run of which nothing was judged that could be wrong is no pass.
func TestWithoutChecksThereIsNoPass(t *testing.T) {
	all := ""
	for _, c := range invariant.Checks() {
		all += c.Key + ": {enabled: false}, "
	}
	for name, c := range map[string]struct {
		checks   string
		verdict  Verdict
		disabled int
	}{
		"none":             {all, Inconclusive, len(invariant.Checks())},
		"only evidence":    {strings.NewReplacer("evidence: {enabled: false}", "evidence: {min_operations: 3}", "effects: {enabled: false}, ", "").Replace(all), Inconclusive, len(invariant.Checks()) - 2},
		"only a measure":   {strings.Replace(all, "write_stall: {enabled: false}, ", "", 1), Inconclusive, len(invariant.Checks()) - 1},
		"a limit":          {strings.Replace(all, "write_stall: {enabled: false}", "write_stall: {max: 1m}", 1), Pass, len(invariant.Checks()) - 1},
		"all but a check":  {"evidence: {min_operations: 3}, zombies: {enabled: false}", Pass, 1},
		"all of the table": {"evidence: {min_operations: 3}", Pass, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMade(t)
			m.checks = c.checks
			r := m.judge()
			require.Equal(t, c.verdict, r.Verdict, "%+v", r.Checks)
			require.Equal(t, c.verdict != Pass, r.Reason != "")
			require.Len(t, r.Disabled, c.disabled)
		})
	}
}

func TestAViolationNamesClusterKeyAndOperations(t *testing.T) {
	m := newMade(t)
	m.ops[1] = get(12, "never written")
	found := checksOf(t, m.judge(), "linearizability")
	require.Len(t, found, 1)
	require.EqualValues(t, 1, found[0].Cluster)
	require.Equal(t, "1/k", found[0].Key)
	require.NotEmpty(t, found[0].Operations)
	require.Contains(t, found[0].Detail, "cluster 1, key 1/k: ")
}

// An explanation names the replica that answered: its host and how far it was
// by the history, which node that was and in which term by its announcements.
func TestAViolationNamesTheReplicaThatAnswered(t *testing.T) {
	m := newMade(t)
	stale := get(12, "never written")
	stale.Host, stale.By = "nodehost-2:9", &history.Replica{Host: "nodehost-1:9", Applied: 7}
	m.ops[1] = stale
	announced := func(at int, host string, cluster, node, term uint64) timeline.Entry {
		return timeline.Entry{At: time.Duration(at) * time.Second, Fact: timeline.LeaderAnnounced{Host: host, Cluster: cluster, Node: node, Leader: 9, Term: term}}
	}
	m.events = append([]timeline.Entry{
		announced(1, "nodehost-1", 1, 3, 2), announced(2, "nodehost-1", 1, 4, 5), announced(3, "nodehost-2", 1, 6, 6), announced(4, "nodehost-1", 2, 7, 7),
	}, m.events...)
	m.events = append(m.events, announced(13, "nodehost-1", 1, 4, 8))
	found := checksOf(t, m.judge(), "linearizability")[0]
	require.Contains(t, found.Detail, "client 1 (answered by node 4 on nodehost-1:9 in term 5, at applied index 7) read")
	require.Equal(t, &history.Replica{Host: "nodehost-1:9", Node: 4, Term: 5, Applied: 7}, found.Operations[0].By)
}

func TestEveryKeyThatIsNotLinearizableIsExplained(t *testing.T) {
	m := newMade(t)
	const explained, more = 5, 2
	for n := range explained + more {
		read := get(20, "never written")
		read.Key = fmt.Sprintf("1/k%d", n)
		m.ops = append(m.ops, read)
	}
	keys := map[string]bool{}
	detail := ""
	for _, c := range checksOf(t, m.judge(), "linearizability") {
		require.NotEmpty(t, c.Operations)
		require.Contains(t, c.Detail, c.Key)
		keys[c.Key] = true
		detail += c.Detail
	}
	require.Len(t, keys, explained)
	require.Equal(t, 1, strings.Count(detail, "2 more keys are not linearizable"))
}

// checksOf returns what a check found; there must be something.
func checksOf(t *testing.T, r *Result, key string) []Check {
	t.Helper()
	found := slices.DeleteFunc(slices.Clone(r.Checks), func(c Check) bool { return c.Name != key })
	require.NotEmpty(t, found, key)
	return found
}

func TestWhatIsNoRunIsRefused(t *testing.T) {
	_, err := Read(t.TempDir())
	require.ErrorContains(t, err, "can't be judged")
	m := newMade(t)
	m.judge()
	require.NoError(t, os.WriteFile(filepath.Join(m.dir, timeline.FileName), []byte(`{"kind":"boot"}`+"\nnonsense\n{}\n"), 0o644))
	_, err = Read(m.dir)
	require.ErrorContains(t, err, "events.jsonl:2")
}

// What a scenario expects is a check of its own, with its own verdict.
func TestExpectations(t *testing.T) {
	decided := func(kind string) func(m *made) {
		return func(m *made) {
			m.events = append(m.events, timeline.Entry{At: time.Minute, Fact: timeline.Decided{Event: kind}})
		}
	}
	repaired := func(how timeline.Repair, took time.Duration) func(m *made) {
		return func(m *made) {
			m.events = append(m.events, timeline.Entry{At: time.Minute, Fact: timeline.ClusterRepaired{Cluster: 1, How: how, Took: took}})
		}
	}
	asked := func(request string) func(m *made) {
		return func(m *made) {
			m.events = append(m.events, timeline.Entry{At: time.Minute, Fact: timeline.Decided{Event: "operation-planned", Request: request}})
		}
	}
	outage := func(m *made) {
		m.events = append(m.events, timeline.Entry{At: 50 * time.Second, Fact: timeline.QuorumLost{Cluster: 1}}, timeline.Entry{At: 57 * time.Second, Fact: timeline.QuorumRegained{Cluster: 1}})
	}
	none := func(*made) {}
	stale := func(m *made) { m.ops[1] = get(12, "never written") }
	for name, c := range map[string]struct {
		expect string
		change func(m *made)
		want   Verdict
		detail string
	}{
		"none replaced":    {"{replaced: 0}", none, Pass, "expected 0; found 0"},
		"one replaced":     {"{replaced: 0}", repaired(timeline.Replaced, time.Second), Violation, "expected 0; found 1"},
		"enough restored":  {`{restored: ">= 1"}`, repaired(timeline.Restored, time.Second), Pass, "expected >= 1; found 1"},
		"too few restored": {`{restored: ">= 1"}`, none, Violation, "expected >= 1; found 0"},
		"snapshots that are late": {`{snapshots_late: ">= 2", snapshots_taken: ">= 3"}`, func(m *made) {
			m.outcome.Facts.RaftSafety.LateSnapshots, m.outcome.Facts.RaftSafety.Snapshots = 2, 3
		}, Pass, "expected >= 2; found 2"},
		"none is late":          {`{snapshots_late: ">= 1"}`, none, Violation, "expected >= 1; found 0"},
		"none could be seen":    {`{snapshots_late: ">= 1"}`, func(m *made) { m.outcome.Facts.RaftSafety = nil }, Inconclusive, "the messages of Raft were not seen"},
		"a quick repair":        {"{repair: < 40s}", repaired(timeline.Replaced, 39*time.Second), Pass, "expected < 40s; found 39s"},
		"a slow repair":         {"{repair: < 40s}", repaired(timeline.Replaced, 40*time.Second), Violation, "expected < 40s; found 40s"},
		"a move is no repair":   {"{moved: 0, replaced: 0}", repaired(timeline.Moved, time.Second), Violation, "expected 0; found 1"},
		"no outage":             {"{unavailable: none}", none, Pass, "found 0s"},
		"an outage":             {"{unavailable: none}", outage, Violation, "expected none; found 7s"},
		"an event":              {"{event: fuse-blown}", decided("fuse-blown"), Pass, "as it was"},
		"another event":         {"{event: fuse-blown}", decided("launched"), Violation, "there was no fuse-blown"},
		"an unwanted event":     {"{no_event: [fuse-blown, paused]}", decided("paused"), Violation, "there was paused"},
		"no unwanted event":     {"{no_event: [fuse-blown, paused]}", decided("launched"), Pass, "expected none of fuse-blown, paused; there was none"},
		"a violation":           {"{violation: linearizability}", stale, Pass, "as it was"},
		"no violation":          {"{violation: linearizability}", none, Inconclusive, "not found: linearizability"},
		"a quick launch":        {"{launch: <= 1s}", none, Pass, "found 1s"},
		"a run that was cut":    {"{replaced: 0}", func(m *made) { m.outcome.Finished = false }, Inconclusive, "the run did not come to its end"},
		"elections":             {"{elections: 1}", none, Pass, "found 1"},
		"stalled writes":        {"{write_stall: < 1s}", none, Violation, "expected < 1s; found 1s"},
		"stalled replacements":  {"{replacement_stall: none}", none, Inconclusive, "expected none; it can't be told: no member was replaced while no fault was at work"},
		"no repair to time":     {"{repair: < 40s}", none, Inconclusive, "expected < 40s; it can't be told: no member was replaced"},
		"a request":             {"{request: add-observer}", asked("add-observer"), Pass, "as it was"},
		"another request":       {"{request: add-observer}", asked("start-node"), Violation, "there was no add-observer"},
		"an unwanted request":   {"{no_request: add-observer}", asked("add-observer"), Violation, "there was add-observer"},
		"no unwanted request":   {"{no_request: add-observer}", asked("start-node"), Pass, "expected none of add-observer; there was none"},
		"an interrupted repair": {`{interrupted_repairs: ">= 1"}`, none, Violation, "expected >= 1; found 0"},
		"no lost log":           {"{restarted_without_log: none}", none, Pass, "found 0"},
		"a limit that was passed before the run was cut": {"{replaced: 0}", func(m *made) {
			repaired(timeline.Replaced, time.Second)(m)
			m.outcome.Finished = false
		}, Violation, "expected 0; found 1"},
		"a limit that was passed before the run crashed": {"{replaced: 0}", func(m *made) {
			repaired(timeline.Replaced, time.Second)(m)
			m.outcome = nil
		}, Violation, "expected 0; found 1"},
		"a crash before anything was timed": {"{settle: < 5s}", func(m *made) { m.outcome = nil }, Inconclusive, "the run did not come to its end"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMade(t)
			m.scenario = "expect: " + c.expect + "\n"
			c.change(m)
			r := m.judge()
			require.Equal(t, c.want, r.Expect[0].Verdict, "%+v", r.Expect)
			require.Contains(t, r.Expect[0].Detail, c.detail)
			if c.want != Pass { // and so is the run, at least
				require.NotEqual(t, Pass, r.Verdict)
			}
		})
	}
}

// A run that was to find a planted bug and did not is no pass, and says why.
func TestAPlantedBugMustBeFound(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(m *made)
		run     Verdict
		verdict Verdict // on the bug
		detail  string
	}{
		"never fired":      {func(m *made) { m.outcome.Bug = &rundir.Bug{Kind: "lost-cas", Occasions: 7} }, Inconclusive, Inconclusive, "lost-cas never fired: it struck 0 times on 7 occasions"},
		"fired and missed": {func(m *made) { m.outcome.Bug = &rundir.Bug{Kind: "lost-cas", Occasions: 7, Strikes: 2} }, Inconclusive, Inconclusive, "lost-cas fired and was missed: it struck 2 times on 7 occasions"},
		"killed":           {func(m *made) { m.outcome = nil }, Inconclusive, Inconclusive, "how often it struck was not recorded"},
		"found": {func(m *made) {
			m.ops[1], m.outcome.Bug = get(12, "never written"), &rundir.Bug{Kind: "lost-cas", Occasions: 7, Strikes: 2}
		}, Violation, Pass, "lost-cas was found by linearizability; it struck 2 times on 7 occasions"},
		"found before a kill": {func(m *made) { m.ops[1], m.outcome = get(12, "never written"), nil }, Violation, Pass, "lost-cas was found by linearizability; how often it struck was not recorded"},
		"something else": {func(m *made) {
			m.outcome.Facts.Probes[0].OK, m.outcome.Bug = false, &rundir.Bug{Kind: "lost-cas", Occasions: 7, Strikes: 2}
		}, Violation, Inconclusive, "lost-cas fired and was missed: it struck 2 times on 7 occasions; what answers found is something else"},
		"a violation without a strike": {func(m *made) {
			m.ops[1], m.outcome.Bug = get(12, "never written"), &rundir.Bug{Kind: "lost-cas", Occasions: 7}
		}, Violation, Inconclusive, "lost-cas never fired: it struck 0 times on 7 occasions; what linearizability found is something else"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMade(t)
			m.planted = true
			c.change(m)
			r := m.judge()
			require.Equal(t, c.run, r.Verdict, "%+v", r.Checks)
			require.Equal(t, "bug", r.Expect[0].Name)
			require.Equal(t, c.verdict, r.Expect[0].Verdict, "%+v", r.Expect)
			require.Contains(t, r.Expect[0].Detail, c.detail)
		})
	}
}

func TestAChangeOfLeaderIsAnotherNodeThanBefore(t *testing.T) {
	leader := func(cluster, term, node uint64) invariant.Leader {
		return invariant.Leader{Cluster: cluster, Term: term, Node: node}
	}
	require.Equal(t, 2, leaderChanges([]invariant.Leader{
		leader(1, 1, 1), leader(1, 2, 1), leader(2, 3, 2), leader(1, 5, 3), leader(1, 4, 1), leader(1, 6, 1),
	}), "in order of terms, whenever they were announced")
	require.Zero(t, leaderChanges(nil))
}

func TestReadsAtFollowersAreThoseThatAnotherNodeThanTheLeaderAnswered(t *testing.T) {
	get := func(term, node uint64) history.Op {
		return history.Op{Kind: history.Get, Outcome: history.OK, Cluster: 1, By: &history.Replica{Node: node, Term: term}}
	}
	leaders := []invariant.Leader{{Cluster: 1, Term: 2, Node: 1}, {Cluster: 1, Term: 3, Node: 2}, {Cluster: 2, Term: 2, Node: 3}}
	ops := []history.Op{get(2, 1), get(2, 2), get(3, 1), get(3, 2), get(4, 1), {Kind: history.Get, Outcome: history.OK}}
	require.InDelta(t, 0.5, followerReads(ops, leaders), 1e-9)
	require.Zero(t, followerReads(nil, nil))
}

func TestConcurrencyIsTheShareOfOperationsThatOverlap(t *testing.T) {
	op := func(key string, call, ret int64) history.Op {
		return history.Op{Key: key, Call: call, Return: ret, Outcome: history.OK}
	}
	for name, c := range map[string]struct {
		ops  []history.Op
		want float64
	}{
		"none at all":          {nil, 0},
		"one after the other":  {[]history.Op{op("k", 0, 10), op("k", 10, 20), op("k", 30, 30)}, 0},
		"two of three":         {[]history.Op{op("k", 0, 10), op("k", 9, 20), op("k", 20, 30)}, 2.0 / 3},
		"on other keys":        {[]history.Op{op("k", 0, 10), op("l", 5, 8)}, 0},
		"an instant in a span": {[]history.Op{op("k", 0, 10), op("k", 5, 5)}, 1},
		"instants":             {[]history.Op{op("k", 5, 5), op("k", 5, 5)}, 0},
		"one inside the first": {[]history.Op{op("k", 0, 100), op("k", 10, 20), op("k", 30, 40), op("k", 100, 110)}, 0.75},
	} {
		t.Run(name, func(t *testing.T) { require.InDelta(t, c.want, concurrency(c.ops).Overlapping, 1e-9) })
	}
}
