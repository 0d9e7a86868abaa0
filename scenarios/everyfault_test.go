// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// The scenario by which exact runs are tested has every kind of fault, and every
// moment.
func TestTheScenarioOfEveryFaultIsComplete(t *testing.T) {
	const file = "../testdata/exact/every-fault.yaml"
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	s, err := scenarios.Parse(file, source)
	require.NoError(t, err)
	kinds, moments := map[string]bool{}, map[scenarios.Moment]bool{}
	for _, l := range s.Leaves() {
		kinds[l.Fault.Kind] = true
		moments[l.Entry.Fault.When] = true
	}
	for _, k := range scenarios.FaultKinds() {
		require.True(t, kinds[k.Name], "%s: add the fault %s", file, k.Name)
	}
	for _, m := range scenarios.MomentKinds() {
		require.True(t, moments[m.Name], "%s: add the moment %s", file, m.Name)
	}
}
