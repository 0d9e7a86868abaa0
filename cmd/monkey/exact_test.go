// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/exact/overlay"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
)

func TestSameSeedIsTheSameRun(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles everything with the overlay")
	}
	binary, err := overlay.Build{Package: itself, Announce: os.Stderr}.Run(t.Context())
	require.NoError(t, err)
	run := func(seed string, procs string) string {
		out := t.TempDir()
		cmd := exec.CommandContext(t.Context(), binary, "run", "quickstart", "--exact", "--seed", seed, "--duration", "2m", "--out", out)
		cmd.Env = append(os.Environ(), "GOMAXPROCS="+procs)
		text, err := cmd.CombinedOutput()
		var failed *exec.ExitError
		if err != nil {
			require.ErrorAs(t, err, &failed, string(text)) // two minutes need not be enough for a verdict
		}
		return filepath.Join(out, "latest")
	}
	first, second, other := run("1", "1"), run("1", "4"), run("2", "4")
	for _, file := range []string{"exact.json", timeline.FileName, "history.jsonl.zst", "decisions.trace"} {
		require.Equal(t, read(t, first, file), read(t, second, file), file)
		require.NotEqual(t, read(t, first, file), read(t, other, file), file)
	}
	replayed, _ := exec.CommandContext(t.Context(), binary, "replay", first, "--out", t.TempDir()).CombinedOutput()
	require.Contains(t, string(replayed), "the same execution, to the last decision of the scheduler")
	s, err := exact.ReadState(filepath.Join(first, "decisions.trace"))
	require.NoError(t, err)
	require.Zero(t, s.Foreign)
	require.Greater(t, s.Decisions, uint64(100_000))
}

func read(t *testing.T, dir, file string) string {
	b, err := os.ReadFile(filepath.Join(dir, file))
	require.NoError(t, err)
	return string(b)
}
