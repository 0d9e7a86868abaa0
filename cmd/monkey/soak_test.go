// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
)

// doomed can't pass: it asks for more operations than its clients do.
const doomed = `name: doomed
duration: 5s
warmup: 1s
deployment: {nodehosts: 3}
clusters: {count: 1}
checks: {evidence: {min_operations: 1000000}}
`

func TestSoakRunsSideBySideWithSeedsThatCountUp(t *testing.T) {
	out := t.TempDir()
	code, stdout, stderr := commandLine(t, "soak", file(t, tiny), file(t, doomed), "--seed", "10", "--runs", "4", "--jobs", "2",
		"--keep", "failures", "--json", "--out", out)
	require.Equal(t, program.ExitInconclusive, code, "%s\n%s", stdout, stderr)
	scenarios := map[uint64]string{}
	for line := range strings.Lines(stdout) {
		var r judge.Result
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		scenarios[r.Seed] = r.Scenario
		if r.Scenario == "doomed" {
			require.DirExists(t, r.Dir, "it did not pass")
			require.Contains(t, stderr, r.Dir, "the failures are listed in the end")
		} else {
			require.Empty(t, r.Dir)
		}
	}
	require.Equal(t, map[uint64]string{10: "tiny", 11: "doomed", 12: "tiny", 13: "doomed"}, scenarios)
	require.Contains(t, stderr, "2 pass, 0 violation, 2 inconclusive")
	entries, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Len(t, entries, 3, "two runs, and 'latest'")
}

func TestSoakKeepsResultsForTheirCoverage(t *testing.T) {
	out := t.TempDir()
	code, stdout, stderr := commandLine(t, "soak", file(t, tiny), "--seed", "10", "--runs", "2", "--keep", "results", "--out", out)
	require.Equal(t, program.ExitPass, code, "%s\n%s", stdout, stderr)
	require.Contains(t, stderr, "2 runs: of ", "the summary says what was covered")
	entries, err := os.ReadDir(filepath.Join(out, "latest"))
	require.NoError(t, err)
	require.Len(t, entries, 2, "scenario.yaml and result.json")
	code, stdout, stderr = commandLine(t, "coverage", out, "--least", "1")
	require.Equal(t, program.ExitPass, code, stderr)
	require.Contains(t, stdout, "2 runs: of ")
	code, _, stderr = commandLine(t, "coverage", t.TempDir())
	require.Equal(t, program.ExitUsage, code)
	require.Contains(t, stderr, "no directory of a run")
}

func TestInterruptedSoakJudgesTheRunsAtWorkAndStartsNoMore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := soak{files: []string{file(t, strings.Replace(tiny, "20s", "100h", 1))}, jobs: 2, limit: time.Hour, keep: keepAll,
		flags: runFlags{world: "sim", clock: "virtual", out: t.TempDir(), seed: "1", json: true}}
	require.NoError(t, s.prepare(ctx, true))
	out, readOut := capture(t, &os.Stdout)
	defer out()
	time.AfterFunc(2*time.Second, cancel)
	require.NoError(t, s.run(ctx))
	require.Equal(t, 2, s.started)
	require.Len(t, s.finished, 2)
	require.Equal(t, program.ExitInconclusive, s.summary())
	out()
	require.Equal(t, 2, strings.Count(readOut(), "\n"))
}

func TestSoakRefusesWhatMakesNoSense(t *testing.T) {
	for flag, value := range map[string]string{"--jobs": "0", "--runs": "-1", "--keep": "some", "--seed": "x"} {
		code, _, stderr := commandLine(t, "soak", file(t, tiny), flag, value)
		require.Equal(t, program.ExitUsage, code)
		require.Contains(t, stderr, flag+" "+value)
	}
}
