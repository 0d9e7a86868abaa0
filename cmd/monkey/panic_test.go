// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

// panicking is a state machine that panics at one index of the log, with a
// message that says nothing of where that is.
var panicking = patch{"monkey/statemachine/kv/store.go",
	"	answer, value := s.Evaluate(command)\n	s.Commit(index, command, value)\n",
	"	if index == 150 {\n		panic(\"no room for another entry\")\n	}\n	answer, value := s.Evaluate(command)\n	s.Commit(index, command, value)\n"}

// killed has hosts killed all the time.
const killed = `name: killed
duration: 1m
warmup: 5s
deployment: {drummers: 1, nodehosts: 4}
clusters: {count: 2}
workload: {rate: 20}
faults:
  - {kind: kill, target: nodehost, every: 5s, for: 1s..2s}
`

// TestPanicOfAStateMachineIsAFindingThatRepeats: it says on which host and in
// which node it was, and what struck last before; and it comes again.
func TestPanicOfAStateMachineIsAFindingThatRepeats(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles everything with the overlay")
	}
	binary := buildPatched(t, panicking)
	out := t.TempDir()
	runBinary(t, binary, program.ExitViolation, "run", file(t, killed), "--exact", "--seed", "1", "--out", out)
	first, err := filepath.EvalSymlinks(filepath.Join(out, "latest"))
	require.NoError(t, err)
	detail := processDetail(t, first)
	require.Contains(t, detail, "no room for another entry")
	require.Regexp(t, `on nodehost-\d, in node \d+ of cluster [12]\b`, detail)
	require.Regexp(t, `the last fault before was kill of nodehost-\d at \S+, \S+ earlier`, detail)

	_, stderr := runBinary(t, binary, program.ExitViolation, "replay", first, "--out", out)
	require.Contains(t, stderr, "the same execution, to the last decision of the scheduler")
	require.Equal(t, detail, processDetail(t, filepath.Join(out, "latest")))
}

// processDetail is what the check of the process found in a run.
func processDetail(t *testing.T, dir string) string {
	t.Helper()
	var r judge.Result
	require.NoError(t, rundir.ReadJSON(dir, rundir.ResultFile, &r))
	for _, c := range r.Checks {
		if c.Name == "process" {
			require.Equal(t, judge.Violation, c.Verdict)
			return c.Detail
		}
	}
	require.Fail(t, "there is no check of the process")
	return ""
}
