// SPDX-License-Identifier: Apache-2.0

package coverage

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	_ "github.com/drumbeat-raft/drumbeat/monkey/fault"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func parse(t *testing.T, source string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Parse("test.yaml", []byte("name: test\n"+source))
	require.NoError(t, err)
	return s
}

func row(t *testing.T, table *Table, fault string, least int) Row {
	t.Helper()
	for _, r := range table.Rows(least) {
		if r.Fault == fault {
			return r
		}
	}
	t.Fatalf("there is no row for %s", fault)
	return Row{}
}

func TestAFaultMeetsWhatTheRunHasIfItTookEffect(t *testing.T) {
	var table Table
	s := parse(t, "clusters: {statemachine: ondisk, quiesce: true}\n")
	r := &judge.Result{Faults: []judge.Fault{
		{Kind: "kill", Target: "nodehost", Injected: 3, Effect: 3},
		{Kind: "kill", Target: "drummer", Injected: 1, Effect: 1},
		{Kind: "lossy", Target: "nodehost", Injected: 2},
	}}
	table.Add(s, r)
	options := scenarios.Options(s)
	require.Contains(t, options, "clusters.quiesce true")
	require.NotContains(t, options, "clusters.quiesce false")
	kill := row(t, &table, "kill", 2)
	require.Equal(t, 1, kill.Runs)
	require.Equal(t, len(options), kill.Met, "with one kind of state machine")
	require.Equal(t, 3*len(scenarios.AllOptions()), kill.Possible)
	require.Zero(t, kill.Enough)
	require.Zero(t, kill.RarestRuns)
	require.Zero(t, row(t, &table, "lossy", 1).Met, "it did nothing")

	table.Add(parse(t, "clusters: {statemachine: mixed, quiesce: true}\n"), r)
	require.Equal(t, 3*len(options), row(t, &table, "kill", 1).Met)
	require.Equal(t, len(options), row(t, &table, "kill", 2).Enough)

	wipe := row(t, &table, "wipe", 1)
	require.Less(t, wipe.Possible, kill.Possible, "nobody replaces what a wipe loses without a Master")
}

func TestRunsAreReadFromTheirDirectories(t *testing.T) {
	dir := t.TempDir()
	require.ErrorContains(t, new(Table).AddDir(dir), dir)
	for _, name := range []string{"a", "b"} {
		run := filepath.Join(dir, name)
		require.NoError(t, os.Mkdir(run, 0o755))
		text, err := parse(t, "").Marshal()
		require.NoError(t, err)
		require.NoError(t, rundir.WriteFile(run, rundir.ScenarioFile, text))
		require.NoError(t, rundir.WriteJSON(run, rundir.ResultFile, judge.Result{Faults: []judge.Fault{{Kind: "kill", Injected: 1, Effect: 1}}}))
	}
	require.NoError(t, os.Symlink("b", filepath.Join(dir, "latest")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "killed"), 0o755))
	var table Table
	require.NoError(t, table.AddDir(dir))
	require.Equal(t, 2, row(t, &table, "kill", 1).Runs, "each run once")
	require.NoError(t, table.AddDir(filepath.Join(dir, "a")))
	require.Equal(t, 3, row(t, &table, "kill", 1).Runs)
	var out bytes.Buffer
	require.NoError(t, table.Write(&out, 3))
	require.Regexp(t, `(?m)^kill +3 +\d+ +\d+ +\d+ +\w+, .+: 0$`, out.String())
	require.Contains(t, out.String(), "3 runs: of ")
}
