// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey/fault"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// bad is the result of a run that found something.
func bad() *judge.Result {
	return &judge.Result{
		Verdict: judge.Violation, Scenario: "demo", Seed: 7, VirtualSeconds: 60, WallSeconds: 2, Compression: 30,
		Faults: []judge.Fault{{Kind: "kill", Target: "nodehost", Forever: true, Injected: 2, Effect: 1, Skipped: 3, MaxLateSeconds: 51, Effects: world.Effect{ProcessesEnded: 1}}},
		Checks: []judge.Check{
			{Name: "launch", Verdict: judge.Pass, Detail: "fine"},
			{Name: "write_stall", Verdict: judge.Pass, Detail: "3 s", Measured: true},
			{Name: "evidence", Verdict: judge.Inconclusive, Detail: "too little"},
			{Name: "linearizability", Verdict: judge.Violation, Detail: "<stale> read", Cluster: 3, Key: "3/k1",
				Operations: []history.Op{{Client: 4, Key: "3/k1", Kind: history.Get, Observed: history.String("old"), Outcome: history.OK}}},
		},
		Disabled:  []string{"digests", "zombies"},
		Operator:  &judge.Operator{Actions: 3, Accepted: 2, MaxLateSeconds: 12, Failed: "resume: no leader"},
		Ops:       judge.Ops{Missed: 1234},
		Repair:    judge.Repair{MaxWriteStallSeconds: 3, MaxExcusedStallSeconds: 40},
		Expect:    []judge.Expectation{{Name: "replaced", Expected: "0", Verdict: judge.Violation, Detail: "expected 0; found 3"}},
		Reproduce: "go run ./cmd/monkey run demo --seed 7",
	}
}

func TestTableShowsTheGravestFirst(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Table(&b, bad()))
	text := b.String()
	require.Regexp(t, `(?s)VIOLATION +linearizability.*inconclusive +evidence.*ok +launch`, text)
	require.Regexp(t, `kill forever +nodehost +2 +1 +3 +51\.0 s +1 process ended`, text)
	require.Regexp(t, `VIOLATION +replaced +expected 0; found 3`, text)
	require.Contains(t, text, "the operator: 2 of 3 actions were accepted; late: 12.0 s; not accepted: resume: no leader")
	require.Regexp(t, `measured +write_stall +3 s`, text)
	require.Contains(t, text, "switched off: digests, zombies")
	require.Contains(t, text, "; 1,234 missed, as all clients waited")
	require.Regexp(t, `longest write stall +3\.0 s; 40\.0 s where there was no quorum for most of it`, text)
	require.Contains(t, text, "verdict: VIOLATION")
	require.Contains(t, text, "reproduce: go run ./cmd/monkey run demo --seed 7")
}

func TestTableSaysHowLongThingsTake(t *testing.T) {
	for want, timing := range map[string]judge.Timing{
		"network without latency; disks take no time":                       {},
		"a message takes 5 ms; disks take no time":                          {Network: judge.Spread{Min: 5, Median: 5, P99: 5}},
		"no time; Dragonboat's logs were in memory, with a journal on disk": {LogDB: "memory"},
		"a message takes 2 ms (99th percentile: 20 ms); a sync 1 ms (99th percentile: 15 ms)": {
			Network: judge.Spread{Min: 0.5, Median: 2, P99: 20}, Sync: judge.Spread{Min: 0.2, Median: 1, P99: 15}},
	} {
		r := bad()
		r.Timing = timing
		var b bytes.Buffer
		require.NoError(t, Table(&b, r))
		require.Contains(t, b.String(), want)
	}
}

func TestTableSaysIfNothingWasMissedOrExcused(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Table(&b, &judge.Result{Verdict: judge.Pass}))
	require.Contains(t, b.String(), "; none missed\n")
	require.Regexp(t, `longest write stall +0\.0 s\n`, b.String())
}

func TestJUnitFailsWhatIsNotAPass(t *testing.T) {
	b, err := JUnit(bad())
	require.NoError(t, err)
	var s junitSuite
	require.NoError(t, xml.Unmarshal(b, &s))
	require.Equal(t, []int{5, 2, 1}, []int{s.Tests, s.Failures, s.Errors})
	require.Equal(t, "<stale> read", s.Cases[3].Failure.Message)
	require.Equal(t, "expect.replaced", s.Cases[4].Name)
}

func TestJUnitIsNotGreenWhereNothingWasChecked(t *testing.T) {
	b, err := JUnit(&judge.Result{Verdict: judge.Inconclusive, Reason: "nothing was checked"})
	require.NoError(t, err)
	var s junitSuite
	require.NoError(t, xml.Unmarshal(b, &s))
	require.Equal(t, 1, s.Errors)
	require.Contains(t, s.Cases[0].Error.Message, "nothing was checked")
}

// struck is a run with three faults, one of which never ended.
func struck() *timeline.Timeline {
	at := func(s int, f timeline.Fact) timeline.Entry {
		return timeline.Entry{At: time.Duration(s) * time.Second, Fact: f}
	}
	return timeline.Pair([]timeline.Entry{
		at(10, timeline.InjectionBegan{ID: 1, Fault: "power-loss", Hosts: []string{"nodehost-2"}}),
		at(20, timeline.InjectionEnded{ID: 1}),
		at(30, timeline.InjectionBegan{ID: 2, Fault: "kill", Hosts: []string{"nodehost-3"}, Forever: true}),
		at(40, timeline.InjectionBegan{ID: 3, Fault: "partition", Hosts: []string{"nodehost-2"}}),
		at(60, timeline.PhaseBegan{Phase: timeline.Probe}),
	})
}

func TestHTMLShowsTheTimelineOfFaults(t *testing.T) {
	b, err := HTML(bad(), struck(), nil)
	require.NoError(t, err)
	page := string(b)
	require.Contains(t, page, "power-loss of nodehost-2 at 0:10.000 for 10s")
	require.Contains(t, page, `class="injection kill forever"`)
	require.Contains(t, page, `<i class="injection power-loss"></i>power loss`, "the legend")
	require.Contains(t, page, ".power-loss.power-loss { --band: "+fault.Colour("power-loss")+"; }")
	require.Contains(t, page, "&lt;stale&gt; read")
	require.Contains(t, page, `<span class="word measured">measured</span>`)
	require.Contains(t, page, "<p>Switched off: digests, zombies.</p>")
	require.Contains(t, page, "<p>the operator: 2 of 3 actions were accepted; late: 12.0 s; not accepted: resume: no leader</p>")
	require.Equal(t, 1, strings.Count(page, `<line class="mark"`), "when the violation was")
}

// A reader sees which operations can't be ordered, and in which fault they were.
func TestHTMLDrawsTheViolationAmongTheFaults(t *testing.T) {
	at := func(s float64) int64 { return int64(s * float64(time.Second)) }
	ops := []history.Op{
		{Client: 1, Key: "3/k1", Kind: history.Put, Value: history.String("old"), Call: at(35), Return: at(35.5), Outcome: history.OK, Host: "nodehost-1:2"},
		{Client: 2, Key: "3/k1", Kind: history.Put, Value: history.String("new"), Call: at(36), Return: at(36.5), Outcome: history.OK, Host: "nodehost-1:2"},
		{Client: 4, Key: "3/k1", Kind: history.Get, Observed: history.String("old"), Call: at(40.3), Return: at(40.4), Outcome: history.OK, Host: "nodehost-2:2",
			By: &history.Replica{Host: "nodehost-3:2", Node: 3, Term: 4, Applied: 99}},
		{Client: 5, Key: "3/k2", Kind: history.Delete, Call: at(40), Return: at(41), Outcome: history.OK, Host: "nodehost-2:2"},
		{Client: 6, Key: "3/k1", Kind: history.Delete, Call: at(50), Return: at(51), Outcome: history.OK, Host: "nodehost-1:2"},
	}
	r := bad()
	r.Checks[3].Operations = ops[:3]
	b, err := HTML(r, struck(), ops)
	require.NoError(t, err)
	page := string(b)
	require.Contains(t, page, "What went wrong on 3/k1")
	require.Equal(t, 3, strings.Count(page, `<g class="op ok core"`))
	require.Equal(t, 4, strings.Count(page, `<g class="op `), "the operations of that key")
	require.Contains(t, page, "Operation 3, the last of these, came 10.3 s into the kill of nodehost-3 forever, 0.3 s into the partition of nodehost-2.")
	require.Contains(t, page, `<g class="band partition"><title>partition of nodehost-2, from 40.000 s to 60.000 s`)
	require.Contains(t, page, `<g class="band kill forever"><title>kill of nodehost-3 forever, from 30.000 s on`)
	require.NotContains(t, page, `<g class="band power-loss">`, "it was over before")
	require.Contains(t, page, `<td class="where">nodehost-1<td>`, "hosts are named as in faults")
	require.Contains(t, page, `<td class="where">node 3 on nodehost-3 in term 4, at applied index 99<td>`, "so are those of replicas")
}

func TestHTMLNeedsNothingElseAndStaysSmall(t *testing.T) {
	var ops []history.Op
	var entries []timeline.Entry
	for i := range 100_000 {
		ops = append(ops, history.Op{Client: 1, Key: "3/k1", Kind: history.Put, Value: history.String(fmt.Sprint("v", i)),
			Call: int64(i) * 1e6, Return: int64(i)*1e6 + 1, Outcome: history.OK})
		entries = append(entries, timeline.Entry{At: time.Duration(i), Fact: timeline.Decided{Event: "operation-planned", Cluster: 1, Text: "cluster 1 wants a replica"}})
	}
	r := bad()
	r.Checks[3].Operations = judge.Core{ops[500], ops[90_000]}
	b, err := HTML(r, timeline.Pair(entries), ops)
	require.NoError(t, err)
	require.Less(t, len(b), 1<<20, "bytes")
	page := string(b)
	require.Contains(t, page, "of the 100000 operations are drawn")
	require.Contains(t, page, "95,000 later ones that are in events.jsonl only")
	require.NotContains(t, page, "<script")
	require.NotContains(t, page, "https://")
	require.Equal(t, strings.Count(page, `xmlns="http://www.w3.org/2000/svg"`), strings.Count(page, "http://"))
}

func TestCount(t *testing.T) {
	require.Equal(t, []string{"0", "999", "1,000", "-12,345,678"}, []string{Count(0), Count(999), Count(1000), Count(-12345678)})
}
