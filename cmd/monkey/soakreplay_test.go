// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/exact/overlay"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
)

// TestWhatASoakFoundIsReplayed replays what a soak of a scenario with a planted
// bug found, DRUMBEAT_REPLAYS times (3): the same execution, and the same
// violations.
func TestWhatASoakFoundIsReplayed(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles everything with the overlay")
	}
	replays, err := strconv.Atoi(envOr("DRUMBEAT_REPLAYS", "3"))
	require.NoError(t, err)
	binary, err := overlay.Build{Package: itself, Announce: os.Stderr}.Run(t.Context())
	require.NoError(t, err)
	out := t.TempDir()
	stdout, _ := runBinary(t, binary, program.ExitViolation, "soak", file(t, buggy), "--exact", "--seed", "1", "--runs", "2", "--jobs", "2",
		"--keep", "failures", "--json", "--out", out)
	var found judge.Result
	line, _, _ := strings.Cut(stdout, "\n")
	require.NoError(t, json.Unmarshal([]byte(line), &found))
	require.NotEmpty(t, found.Fingerprint)
	for range replays {
		stdout, stderr := runBinary(t, binary, program.ExitViolation, "replay", found.Dir, "--json", "--out", out)
		require.Contains(t, stderr, "the same execution, to the last decision of the scheduler")
		var again judge.Result
		require.NoError(t, json.Unmarshal([]byte(stdout), &again))
		require.Equal(t, found.Fingerprint, again.Fingerprint)
		require.Equal(t, found.Checks, again.Checks)
	}
}
