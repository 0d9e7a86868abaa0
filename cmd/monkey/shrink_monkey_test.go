// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/exact/overlay"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

// buggy has a bug that no fault is needed for, and many faults.
const buggy = `name: buggy
duration: 30s
warmup: 5s
deployment: {drummers: 1, nodehosts: 4}
clusters: {count: 2, bug: {kind: stale-read, every: 5}}
workload: {rate: 10}
faults:
  - {kind: kill, target: nodehost, every: 3s, for: 1s..2s}
checks: {linearizability: {stop: false}}
expect: {violation: linearizability}
`

// TestShrinkFindsTheSmallestScenario: without a fault, with a few operations, and
// the same check fails on the same key.
func TestShrinkFindsTheSmallestScenario(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles everything with the overlay")
	}
	binary, err := overlay.Build{Package: itself, Announce: os.Stderr}.Run(t.Context())
	require.NoError(t, err)
	out := t.TempDir()
	runBinary(t, binary, program.ExitViolation, "run", file(t, buggy), "--exact", "--seed", "2", "--out", out)
	run := filepath.Join(out, "latest")
	stdout, stderr := runBinary(t, binary, program.ExitPass, "shrink", run, "--json", "--out", filepath.Join(out, "shrunk"))
	var s harness.Shrunk
	require.NoError(t, json.Unmarshal([]byte(stdout), &s))
	require.Greater(t, s.Before.Faults, 5)
	require.LessOrEqual(t, 10*s.After.Faults, s.Before.Faults, stderr)
	require.LessOrEqual(t, 10*s.After.Operations, s.Before.Operations)
	require.Positive(t, s.After.Operations)
	require.Equal(t, 1, s.After.Clusters)
	require.Equal(t, s.Of, s.Shown, "an exact run shows it each time")

	kept := filepath.Join(out, "shrunk", "latest")
	var before, after judge.Result
	require.NoError(t, rundir.ReadJSON(run, rundir.ResultFile, &before))
	require.NoError(t, rundir.ReadJSON(kept, rundir.ResultFile, &after))
	require.Equal(t, judge.Violation, after.Verdict)
	require.Equal(t, key(before), key(after), "the same key")
	page, err := os.ReadFile(filepath.Join(kept, rundir.ExplanationFile))
	require.NoError(t, err)
	require.Contains(t, string(page), "What happened, in order")
	require.Contains(t, after.Reproduce, s.File)
	left, err := filepath.Glob(filepath.Join(out, "shrunk", ".candidates-*"))
	require.NoError(t, err)
	require.Empty(t, left)
	runBinary(t, binary, program.ExitPass, "validate", s.File)
}

// key is that of the first violation of linearizability.
func key(r judge.Result) string {
	for _, c := range r.Checks {
		if c.Key != "" {
			return c.Key
		}
	}
	return ""
}
