// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestACrashLoopKillsAgainAndAgain(t *testing.T) {
	effect := strikes(t, "kind: crash-loop, target: nodehost-2, up: 3s", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s kill nodehost-2", "5s boot nodehost-2", "8s kill nodehost-2", "8s boot nodehost-2"}, b.journal())
	})
	require.Equal(t, world.Effect{ProcessesEnded: 4}, effect)
	effect = strikesSimulation(t, "kind: crash-loop, target: nodehost-2, up: 3s")
	require.EqualValues(t, 7, effect.ProcessesEnded)
}
