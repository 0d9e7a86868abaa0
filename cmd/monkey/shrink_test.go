// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
)

func TestShrinkRefusesWhatHasNoViolation(t *testing.T) {
	out := t.TempDir()
	code, stdout, stderr := commandLine(t, "run", file(t, tiny), "--seed", "5", "--out", out)
	require.Equal(t, program.ExitPass, code, "%s\n%s", stdout, stderr)
	run := filepath.Join(out, "latest")
	code, _, stderr = commandLine(t, "shrink", run, "--exact=false")
	require.Equal(t, program.ExitUsage, code)
	require.Contains(t, stderr, "found no violation")
	require.NoDirExists(t, filepath.Join(run, "shrunk"))
	for _, args := range [][]string{{"shrink"}, {"shrink", t.TempDir(), "--exact=false"}, {"shrink", "no/such/run"}, {"shrink", run, "--exact=false", "--jobs", "0"}} {
		code, _, _ = commandLine(t, args...)
		require.Equal(t, program.ExitUsage, code, "%v", args)
	}
}
