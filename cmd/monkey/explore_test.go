// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/exact/overlay"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
)

// racy are the settings of planted-bug in which two gets of a key are often open
// at a replica, whose race strikes only where one is preempted.
var racy = []string{"--duration", "1m", "--set", "clusters.bug={kind: racy-read, nodes: all}",
	"--set", "clusters.count=2", "--set", "workload.keys=2", "--set", "workload.rate=200"}

// exploring are the settings that find it.
var exploring = []string{"--set", "explore={preemptions: 20000, pause: 20ms, horizon: 700000}"}

// TestExplorationFindsRaces wants the planted race found in one of a few seeds
// where goroutines are preempted, and not once in Go's own order.
func TestExplorationFindsRaces(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles everything with the overlay")
	}
	binary, err := overlay.Build{Package: itself, Announce: os.Stderr}.Run(t.Context())
	require.NoError(t, err)
	const seeds = 5
	found := 0
	for seed := 1; seed <= seeds && found == 0; seed++ {
		if r := runRacy(t, binary, seed, exploring...); r.Verdict == judge.Violation {
			require.NotZero(t, r.Bug.Strikes)
			found++
		}
	}
	require.NotZero(t, found, "not found in %d seeds", seeds)
	// This one has gRPC try a call again and again on a connection whose end
	// another goroutine is paused to notice.
	r := runRacy(t, binary, 1, "--set", "explore={order: priorities, preemptions: 20000, pause: 20ms, horizon: 700000}")
	require.Equal(t, 20000, r.Explored.Preemptions)
	for seed := 1; seed <= seeds; seed++ {
		r := runRacy(t, binary, seed)
		require.NotEqual(t, judge.Violation, r.Verdict)
		require.Zero(t, r.Bug.Strikes)
		require.NotZero(t, r.Bug.Occasions)
	}
}

func runRacy(t *testing.T, binary string, seed int, more ...string) *judge.Result {
	t.Helper()
	args := append([]string{"run", "planted-bug", "--exact", "--json", "--seed", fmt.Sprint(seed), "--out", t.TempDir()}, racy...)
	text, err := exec.CommandContext(t.Context(), binary, append(args, more...)...).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		require.NotEmpty(t, text, string(exit.Stderr))
	} else {
		require.NoError(t, err)
	}
	r := &judge.Result{}
	require.NoError(t, json.Unmarshal(text, r))
	return r
}
