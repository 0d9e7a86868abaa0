// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/xml"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// bad is the result of a run that found something.
func bad() *judge.Result {
	return &judge.Result{
		Verdict: judge.Violation, Scenario: "demo", Seed: 7, VirtualSeconds: 60, WallSeconds: 2, Compression: 30,
		Faults: []judge.Fault{{Kind: "kill", Target: "nodehost", Forever: true, Injected: 2, Effect: 1, Effects: world.Effect{ProcessesEnded: 1}}},
		Checks: []judge.Check{
			{Name: "launch", Verdict: judge.Pass, Detail: "fine"},
			{Name: "evidence", Verdict: judge.Inconclusive, Detail: "too little"},
			{Name: "linearizability", Verdict: judge.Violation, Detail: "<stale> read", Cluster: 3, Key: "3/k1",
				Operations: []history.Op{{Client: 4, Key: "3/k1", Kind: history.Get, Observed: history.String("old"), Outcome: history.OK}}},
		},
		Reproduce: "go run ./cmd/monkey run demo --seed 7",
	}
}

func TestTableShowsTheGravestFirst(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Table(&b, bad()))
	text := b.String()
	require.Regexp(t, `(?s)VIOLATION +linearizability.*inconclusive +evidence.*ok +launch`, text)
	require.Regexp(t, `kill for ever +nodehost +2 +1 +1 process ended`, text)
	require.Contains(t, text, "verdict: VIOLATION")
	require.Contains(t, text, "reproduce: go run ./cmd/monkey run demo --seed 7")
}

func TestJUnitFailsWhatIsNotAPass(t *testing.T) {
	b, err := JUnit(bad())
	require.NoError(t, err)
	var s junitSuite
	require.NoError(t, xml.Unmarshal(b, &s))
	require.Equal(t, []int{3, 1, 1}, []int{s.Tests, s.Failures, s.Errors})
	require.Equal(t, "<stale> read", s.Cases[2].Failure.Message)
}

func TestHTMLShowsBandsAndOperations(t *testing.T) {
	events := []rundir.Event{
		{At: 10 * time.Second, Kind: rundir.FaultBegin, Fault: "kill", ID: 1, Hosts: []string{"nodehost-2"}},
		{At: 20 * time.Second, Kind: rundir.FaultEnd, Fault: "kill", ID: 1, Hosts: []string{"nodehost-2"}},
		{At: 30 * time.Second, Kind: rundir.FaultBegin, Fault: "kill", ID: 2, Hosts: []string{"nodehost-3"}, Forever: true},
	}
	b, err := HTML(bad(), events, bad().Checks[2].Operations)
	require.NoError(t, err)
	page := string(b)
	require.Contains(t, page, "kill of nodehost-2 at 0:10.000 for 10s")
	require.Contains(t, page, `class="band kill forever"`)
	require.Contains(t, page, "&lt;stale&gt; read")
	require.NotContains(t, page, "http://", "the file needs nothing else")
	require.NotContains(t, page, "https://")
}

func TestCount(t *testing.T) {
	require.Equal(t, []string{"0", "999", "1,000", "-12,345,678"}, []string{Count(0), Count(999), Count(1000), Count(-12345678)})
}
