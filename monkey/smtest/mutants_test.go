// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/mutant"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// TestMutantsAreFoundWhereOneReplicaOfThreeIsBad: a bug that all replicas have
// alike makes them agree, and is not for this package to find.
func TestMutantsAreFoundWhereOneReplicaOfThreeIsBad(t *testing.T) {
	for _, b := range scenarios.BugKinds() {
		if b.Racy {
			continue // the race detector finds it, at the next Lookup
		}
		t.Run(b.Name, func(t *testing.T) {
			newCore, err := mutant.New(mutant.Config{Kind: b.Name, Every: min(b.Every, 4), Seed: 7, Size: 3})
			require.NoError(t, err)
			for name, m := range kvMachines(newCore) {
				if m.slow {
					continue
				}
				c := kvConfig()
				c.Runs = runsToFind
				k := newKit(t, m, c)
				found, _ := k.search(1)
				require.NotNil(t, found, name)
				require.LessOrEqual(t, k.trials, foundWithin, name)
				t.Logf("%s: found by %q after %d trials: %d entries\n%s", name, found.check.name, k.trials, len(found.log), found.what)
			}
		})
	}
}

// TestMutantsAreFoundWhereAllReplicasAreBad names those that this is true of:
// they depend on how a replica came to its state.
func TestMutantsAreFoundWhereAllReplicasAreBad(t *testing.T) {
	for _, name := range []string{"forget-snapshot", "stale-read"} {
		newCore, err := mutant.New(mutant.Config{Kind: name, Every: 4, Seed: 7})
		require.NoError(t, err)
		c := kvConfig()
		c.Runs = runsToFind
		found, _ := newKit(t, Regular(statemachine.Regular(newCore)), c).search(1)
		require.NotNil(t, found, name)
		t.Logf("%s: found by %q: %d entries\n%s", name, found.check.name, len(found.log), found.what)
	}
}
