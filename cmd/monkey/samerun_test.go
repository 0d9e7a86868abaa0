// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/exact/overlay"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// circumstance is what a run must not depend on.
type circumstance struct {
	name  string
	busy  int      // loops beside it that keep the machine at work
	env   []string // of the monkey
	taken string   // processors it may use, for taskset; empty: all
}

var circumstances = []circumstance{
	{name: "as it is"},
	{name: "two busy loops besides, GOMAXPROCS=8", busy: 2, env: []string{"GOMAXPROCS=8"}},
	{name: "on one processor, with a busy loop", busy: 1, env: []string{"GOMAXPROCS=1"}, taken: "0"},
}

// everyFault is a scenario with all faults and all moments.
const everyFault = "../../testdata/exact/every-fault.yaml"

// TestSameRun runs each scenario that comes along, and everyFault, under different
// load, once for each of the seeds DRUMBEAT_SEEDS (5: from 1 to 5; 4..5: these; 1 where
// it is not set), and wants the same execution. DRUMBEAT_SCENARIO names some of them, by a comma.
func TestSameRun(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles everything with the overlay")
	}
	from, to, isRange := strings.Cut(envOr("DRUMBEAT_SEEDS", "1"), "..")
	if !isRange {
		from, to = "1", from
	}
	firstSeed, err := strconv.Atoi(from)
	require.NoError(t, err)
	lastSeed, err := strconv.Atoi(to)
	require.NoError(t, err)
	require.LessOrEqual(t, firstSeed, lastSeed)
	binary, err := overlay.Build{Package: itself, Announce: os.Stderr}.Run(t.Context())
	require.NoError(t, err)
	for _, scenario := range strings.Split(envOr("DRUMBEAT_SCENARIO", strings.Join(append(scenarios.Names(), everyFault), ",")), ",") {
		t.Run(scenario, func(t *testing.T) {
			seen := map[string]int{}
			for seed := firstSeed; seed <= lastSeed; seed++ {
				fingerprint := sameRun(t, binary, scenario, seed)
				require.Zero(t, seen[fingerprint], "two seeds have one execution")
				seen[fingerprint] = seed
			}
		})
	}
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// sameRun runs a scenario under all circumstances and returns the fingerprint.
func sameRun(t *testing.T, binary, scenario string, seed int) string {
	var first string
	var state exact.State
	for i, c := range circumstances {
		dir := runUnder(t, c, binary, "run", scenario, "--exact", "--seed", fmt.Sprint(seed), "--out", t.TempDir())
		s, err := exact.ReadState(filepath.Join(dir, rundir.TraceFile))
		require.NoError(t, err)
		require.Zero(t, s.Foreign, "%s, seed %d, %s: woken from outside after decision %d", scenario, seed, c.name, s.ForeignAt)
		s.Collections = 0 // no part of the execution
		if i == 0 {
			first, state = dir, s
			t.Logf("seed %d: fingerprint %016x after %d decisions", seed, s.Fingerprint, s.Decisions)
			continue
		}
		same, err := compareExecutions(first, dir, false)
		require.NoError(t, err)
		require.True(t, same, "%s, seed %d, %s: not the same execution", scenario, seed, c.name)
		require.Equal(t, state, s)
		for _, file := range []string{timeline.FileName, "history.jsonl.zst"} {
			require.Equal(t, read(t, first, file), read(t, dir, file), file)
		}
	}
	return fmt.Sprint(state.Fingerprint)
}

// runUnder runs the monkey under circumstances, and returns the run's directory.
func runUnder(t *testing.T, c circumstance, binary string, args ...string) string {
	t.Helper()
	var done atomic.Bool
	defer done.Store(true)
	for range c.busy {
		go func() {
			for !done.Load() {
			}
		}()
	}
	out := args[len(args)-1]
	if taskset, err := exec.LookPath("taskset"); err == nil && c.taken != "" {
		args = append([]string{"-c", c.taken, binary}, args...)
		binary = taskset
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), c.env...)
	text, err := cmd.CombinedOutput()
	if err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError), string(text)) // the verdict does not matter
	}
	dir, err := filepath.EvalSymlinks(filepath.Join(out, "latest"))
	require.NoError(t, err, string(text))
	return dir
}
