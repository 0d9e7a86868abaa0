// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/csv"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	_ "github.com/drumbeat-raft/drumbeat/monkey/fault"
	_ "github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// A bug that is registered is planted by some of the runs, whose scenarios are
// valid.
func TestEveryBugIsPlanted(t *testing.T) {
	planted := map[string]int{}
	for _, p := range plans(defaultRuns) {
		s, err := scenarios.Parse("recorded.yaml", []byte(p.scenario))
		require.NoError(t, err)
		if s.Clusters.Bug != nil {
			require.Equal(t, p.bug, s.Clusters.Bug.Kind)
			planted[p.bug]++
		}
	}
	for _, bug := range scenarios.BugKinds() {
		require.Equal(t, !bug.Racy && !bug.Upgrade, planted[bug.Name] > 0, "%s is planted %d times", bug.Name, planted[bug.Name])
	}
}

// The histories that are kept show each of them: after a bug is added, they are
// to be recorded again (make histories).
func TestTheHistoriesThatAreKeptShowEveryBug(t *testing.T) {
	file, err := os.Open("../../testdata/histories/verdicts.csv")
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	const verdict, bug = 1, 7
	require.Equal(t, []string{"verdict", "bug"}, []string{rows[0][verdict], rows[0][bug]})
	violations := map[string]int{}
	for _, row := range rows[1:] {
		if row[verdict] == "violation" {
			violations[row[bug]]++
		}
	}
	for _, name := range plantable() {
		require.NotZero(t, violations[name], "no history shows %s; make histories", name)
	}
	require.Zero(t, violations["none"])
}
