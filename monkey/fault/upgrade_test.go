// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func TestAnUpgradeStopsTheHostAndGivesItAVersion(t *testing.T) {
	for parameters, want := range map[string]world.Effect{
		"version: 2": {ProcessesEnded: 1, HostsUpgraded: 1},
		"version: 1": {ProcessesEnded: 1}, // which it has
	} {
		effect := strikes(t, "kind: upgrade, target: nodehost-2, "+parameters, func(t *testing.T, b *board) {
			require.Equal(t, []string{"5s stop nodehost-2", "5s " + parameters[:7] + parameters[8:] + " nodehost-2"}, b.journal())
		})
		require.Equal(t, want, effect)
	}
	strikes(t, "kind: upgrade, target: nodehost-2", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s stop nodehost-2", "5s version 2 nodehost-2"}, b.journal())
	})
	effect := strikesSimulation(t, "kind: upgrade, target: nodehost-2, version: 2")
	require.Equal(t, world.Effect{ProcessesEnded: 1, HostsUpgraded: 1}, effect)
}

func TestADrummerServerIsNotUpgraded(t *testing.T) {
	for _, target := range []string{"drummer", "drummer-1", "drummer-leader", "host", "2 host"} {
		_, err := scenarios.Parse("test.yaml", []byte("name: test\nduration: 1m\nfaults: [{kind: upgrade, target: "+target+", at: [1s], for: 5s}]\n"))
		require.ErrorContains(t, err, "test.yaml:3: faults[0].target: found", target)
	}
	effect := strikes(t, "kind: upgrade, target: drummer-1 nodehost-2", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s stop nodehost-2", "5s version 2 nodehost-2"}, b.journal())
	})
	require.EqualValues(t, 1, effect.HostsUpgraded)
}
