// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package monkey_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/report"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// The flags of the chaos suites are those of package monkey. They come after -args:
//
//	go test -tags monkey ./monkey -args -monkey.seed=7
//
// go test hands them to the test binary of every package it is given, and only
// this one knows them. With more packages the environment says the same:
//
//	DRUMBEAT_SEED=7 go test -tags monkey ./...
//
// Without a seed a random one is drawn, and printed; with -short it is 1.
func flagValue[T any](name string) T {
	return flag.Lookup(name).Value.(flag.Getter).Get().(T)
}

// readEnvironment takes the flags that are not given from the environment.
func readEnvironment(t *testing.T) {
	t.Helper()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, variable := range map[string]string{
		"monkey.seed": "DRUMBEAT_SEED", "monkey.scenario": "DRUMBEAT_SCENARIO",
		"monkey.duration": "DRUMBEAT_DURATION", "monkey.out": "DRUMBEAT_OUT",
	} {
		if value := os.Getenv(variable); value != "" && !given[name] {
			require.NoError(t, flag.Set(name, value), "the environment variable %s is %q", variable, value)
		}
	}
}

// suite begins a test of the suites. It is skipped when one scenario is asked
// for.
func suite(t *testing.T) {
	t.Helper()
	readEnvironment(t)
	if flagValue[string]("monkey.scenario") != "" {
		t.Skipf("only the scenario %s is asked for", flagValue[string]("monkey.scenario"))
	}
}

// chaos runs a scenario with the seed and the length that are asked for, and
// logs the table, which has the seed and the line that reproduces the run.
func chaos(t *testing.T, o harness.Options) *judge.Result {
	t.Helper()
	o.World, o.Clock, o.Seed = harness.WorldSim, harness.ClockVirtual, flagValue[uint64]("monkey.seed")
	if o.Seed == 0 && testing.Short() {
		o.Seed = 1
	} else if o.Seed == 0 {
		o.Seed = rand.Uint64() >> 33
	}
	if flagValue[time.Duration]("monkey.duration") > 0 {
		o.Duration = flagValue[time.Duration]("monkey.duration")
	}
	if o.Out = flagValue[string]("monkey.out"); o.Out == "" {
		o.Out = t.TempDir()
	}
	t.Logf("%s: seed %d", o.File, o.Seed)
	r, err := harness.Run(t.Context(), o)
	require.NoError(t, err)
	var table bytes.Buffer
	require.NoError(t, report.Table(&table, r))
	t.Log(table.String())
	return r
}

// TestChaosScenarioThatIsAskedFor runs -monkey.scenario. One with a planted bug
// must end in a violation.
func TestChaosScenarioThatIsAskedFor(t *testing.T) {
	readEnvironment(t)
	if flagValue[string]("monkey.scenario") == "" {
		t.Skip("no scenario is asked for")
	}
	s, err := harness.LoadScenario(flagValue[string]("monkey.scenario"))
	require.NoError(t, err)
	want := judge.Pass
	if s.Clusters.Bug != nil {
		want = judge.Violation
	}
	require.Equal(t, want, chaos(t, harness.Options{File: flagValue[string]("monkey.scenario")}).Verdict)
}

func TestChaosOverEachKindOfStateMachine(t *testing.T) {
	suite(t)
	for _, kind := range []string{"regular", "concurrent", "ondisk"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			o := harness.Options{File: "quickstart"}
			if testing.Short() {
				o = short(t, 0)
			}
			o.Sets = append(o.Sets, "clusters.statemachine="+kind, "workload.sessions=noop")
			require.Equal(t, judge.Pass, chaos(t, o).Verdict)
		})
	}
}

// quickScenarios are those that -short runs, too.
var quickScenarios = []string{"drummer-replace-quietly", "drummer-leader-mid-repair", "drummer-all-restarted"}

// Each of Drummer's hard days, once; soak them for more seeds.
func TestChaosDrummerScenarios(t *testing.T) {
	suite(t)
	ran := 0
	for _, name := range scenarios.Names() {
		if !strings.HasPrefix(name, "drummer-") || testing.Short() && !slices.Contains(quickScenarios, name) {
			continue
		}
		ran++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, judge.Pass, chaos(t, harness.Options{File: name}).Verdict)
		})
	}
	require.GreaterOrEqual(t, ran, len(quickScenarios), "a scenario was renamed")
}

// Each bug at its own rate, found by a check that its table names.
func TestChaosFindsPlantedBugs(t *testing.T) {
	suite(t)
	for _, bug := range scenarios.BugKinds() {
		if bug.Racy { // see TestExplorationFindsRaces of cmd/monkey
			continue
		}
		t.Run(bug.Name, func(t *testing.T) {
			t.Parallel()
			file := "planted-bug"
			if bug.Upgrade {
				file = "process-upgrade"
			}
			r := chaos(t, harness.Options{File: file, Sets: []string{"clusters.bug={kind: " + bug.Name + "}"}})
			require.NotNil(t, r.Bug)
			t.Logf("%s; found after %.0f virtual seconds", r.Bug, r.VirtualSeconds)
			require.Equal(t, judge.Violation, r.Verdict, "%s", r.Bug)
			var found []string
			for _, c := range r.Checks {
				if c.Verdict == judge.Violation {
					found = append(found, c.Name)
				}
			}
			require.NotEmpty(t, found)
			require.Subset(t, bug.FoundBy, found, "nothing but these checks sees the bug")
			require.NotZero(t, r.Bug.Strikes, "a bug that did not strike was found")
		})
	}
}

// Short faults, and a power cut of everything at one instant, can be judged, and
// nobody cries wolf at them.
func TestChaosHarshFaults(t *testing.T) {
	suite(t)
	everything := ""
	for _, host := range []string{"nodehost-1", "nodehost-2", "nodehost-3", "nodehost-4", "nodehost-5", "drummer-1", "drummer-2", "drummer-3"} {
		everything += fmt.Sprintf("{kind: power-loss, target: %s, at: [1m, 2m], for: 5s..10s, lose_quorum: true, at_least: 2}, ", host)
	}
	for name, faults := range map[string]string{
		"kills":      "{kind: kill, target: nodehost, every: 5s, for: 1s..3s, at_least: 5}",
		"partitions": "{kind: partition, target: nodehost, every: 5s, for: 500ms, at_least: 5}",
		"power cuts": everything,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := chaos(t, harness.Options{File: "quickstart", Duration: 3 * time.Minute,
				Sets: []string{"faults=[" + faults + "]", "expect={}", "checks.evidence.min_operations=1000"}})
			require.Equal(t, judge.Pass, r.Verdict)
		})
	}
}
