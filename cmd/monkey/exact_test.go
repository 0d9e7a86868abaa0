// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/exact/overlay"
)

// TestLookingIntoARunChangesNoDecision replays an exact run with every log and
// dump there is.
func TestLookingIntoARunChangesNoDecision(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles everything with the overlay")
	}
	binary, err := overlay.Build{Package: itself, Announce: os.Stderr}.Run(t.Context())
	require.NoError(t, err)
	monkey := func(args ...string) (dir, text string) {
		out := t.TempDir()
		b, err := exec.CommandContext(t.Context(), binary, append(args, "--out", out)...).CombinedOutput()
		var failed *exec.ExitError
		if err != nil {
			require.ErrorAs(t, err, &failed, string(b)) // two minutes need not be enough for a verdict
			require.Equal(t, program.ExitInconclusive, failed.ExitCode(), string(b))
		}
		return filepath.Join(out, "latest"), string(b)
	}
	state := func(dir string) exact.State {
		s, err := exact.ReadState(filepath.Join(dir, "decisions.trace"))
		require.NoError(t, err)
		return s
	}
	first, _ := monkey("run", "quickstart", "--exact", "--seed", "1", "--duration", "2m")

	dumps := []string{"--log", "debug", "--dump", "cluster 3", "--dump", "nodehost 2", "--dump", "drummer", "--dump", "network"}
	again, text := monkey(append(dumps, "replay", first, "--at", "30s", "--at", "1m")...)
	require.Contains(t, text, "the same execution, to the last decision of the scheduler")
	require.Equal(t, state(first), state(again))
	require.Regexp(t, `(?s)at 30s, after \d+ decisions, .*cluster 3\n.*digest after update.*at 1m0s, after .*DrummerDB as drummer-`, text)
	require.Contains(t, read(t, again, "logs/process.log"), "level=DEBUG")

	until, text := monkey("replay", first, "--until", "30s", "--dump", "drummer")
	require.Contains(t, text, "the same execution, to decision ")
	require.Equal(t, 30*time.Second, state(until).Now.Round(100*time.Millisecond))
	header, _, _ := strings.Cut(read(t, again, "looks.txt"), "\n")
	require.Contains(t, read(t, until, "looks.txt"), header, "the same fingerprint at that instant")
}

func read(t *testing.T, dir, file string) string {
	b, err := os.ReadFile(filepath.Join(dir, file))
	require.NoError(t, err)
	return string(b)
}
