// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package releases_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/releases"
)

// found is a bug that a release has, and the next one has not.
type found struct {
	version string
	args    []string // of monkey run
	check   string
	says    string
}

var bugs = map[string]found{
	"a snapshot that is prepared for nothing": {
		"v3.3.0",
		[]string{
			"quickstart", "--seed", "2", "--duration", "2m", "--set", "clusters.statemachine=ondisk",
			"--set", "clusters.snapshot_entries=10", "--set", "clusters.compaction_overhead=5",
		},
		"process", "PrepareSnapshot was called 5 times without a call of SaveSnapshot",
	},
}

// TestBugsOfOlderReleases runs each one with the release that has the bug, which
// must be found, and with the one that go.mod requires, in which it must not.
func TestBugsOfOlderReleases(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles everything with other releases of Dragonboat")
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	today := filepath.Join(t.TempDir(), "monkey")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", today, "../../cmd/monkey").CombinedOutput()
	require.NoError(t, err, string(out))
	for name, b := range bugs {
		t.Run(name, func(t *testing.T) {
			binary, err := release(t, b.version).Build(t.Context(), root, t.TempDir(), "./cmd/monkey")
			require.NoError(t, err)
			r := run(t, binary, b.args)
			require.Equal(t, judge.Violation, r.Verdict, "with Dragonboat %s", b.version)
			require.Contains(t, detail(r, b.check), b.says)
			require.NotContains(t, detail(run(t, today, b.args), b.check), b.says)
		})
	}
}

// TestEveryReleaseBuilds wants the edits to fit, and today's source to compile.
func TestEveryReleaseBuilds(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles everything with other releases of Dragonboat")
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	for _, r := range releases.All {
		_, err := r.Build(t.Context(), root, t.TempDir(), "./cmd/monkey")
		require.NoError(t, err)
	}
}

func release(t *testing.T, version string) releases.Release {
	t.Helper()
	for _, r := range releases.All {
		if r.Version == version {
			return r
		}
	}
	t.Fatalf("there is no release %s in the table", version)
	return releases.Release{}
}

func run(t *testing.T, binary string, args []string) *judge.Result {
	t.Helper()
	args = append([]string{"run", "--json", "--out", t.TempDir()}, args...)
	text, err := exec.CommandContext(t.Context(), binary, args...).Output()
	r := &judge.Result{}
	require.NoError(t, json.Unmarshal(text, r), "%v: %s", err, text)
	return r
}

func detail(r *judge.Result, check string) string {
	for _, c := range r.Checks {
		if c.Name == check {
			return c.Detail
		}
	}
	return ""
}
