// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package monkey_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/report"
	"github.com/drumbeat-raft/drumbeat/scenarios"
	"github.com/drumbeat-raft/drumbeat/scenarios/testflags"
)

// chaos runs a scenario of the suite with the flags' seed or a random one, and
// logs the table, which has the seed and the line that reproduces the run.
func chaos(t *testing.T, scenario string, sets ...string) *judge.Result {
	t.Helper()
	o := monkey.Options{File: scenario, Seed: *testflags.Seed, World: monkey.WorldSim, Clock: monkey.ClockVirtual,
		Sets: sets, Duration: *testflags.Duration, Out: *testflags.Out}
	if *testflags.Scenario != "" {
		o.File = *testflags.Scenario
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64() >> 33
	}
	if o.Out == "" {
		o.Out = t.TempDir()
	}
	t.Logf("%s: seed %d", o.File, o.Seed)
	r, err := monkey.Run(t.Context(), o)
	require.NoError(t, err)
	var table bytes.Buffer
	require.NoError(t, report.Table(&table, r))
	t.Log(table.String())
	return r
}

func TestQuickstartOverEachKindOfStateMachine(t *testing.T) {
	for _, kind := range []string{"regular", "concurrent", "ondisk"} {
		t.Run(kind, func(t *testing.T) {
			r := chaos(t, "../scenarios/quickstart.yaml", "clusters.statemachine="+kind, "workload.sessions=noop")
			require.Equal(t, judge.Pass, r.Verdict)
		})
	}
}

// Each of Drummer's hard days, once; soak them for more seeds.
func TestDrummerScenarios(t *testing.T) {
	for _, name := range scenarios.Names() {
		if strings.HasPrefix(name, "drummer-") {
			t.Run(name, func(t *testing.T) {
				require.Equal(t, judge.Pass, chaos(t, name).Verdict)
			})
		}
	}
}

func TestThePlantedBugIsFound(t *testing.T) {
	r := chaos(t, "../scenarios/planted-bug.yaml")
	require.Equal(t, judge.Violation, r.Verdict)
	require.Equal(t, 1, judge.ExitCode(r.Verdict))
	c := check(t, r, judge.Linearizability)
	require.Equal(t, judge.Violation, c.Verdict)
	require.NotZero(t, c.Cluster)
	require.NotEmpty(t, c.Key)
	require.NotEmpty(t, c.Operations)
}
