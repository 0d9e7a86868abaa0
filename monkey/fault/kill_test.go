// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestKillEndsTheProcessUntilItIsBooted(t *testing.T) {
	effect := strikes(t, "kind: kill, target: nodehost-2", func(t *testing.T, b *board) {
		require.False(t, b.Running("nodehost-2"))
		require.Equal(t, []string{"5s kill nodehost-2"}, b.journal())
	})
	require.Equal(t, world.Effect{ProcessesEnded: 1}, effect)
	strikesSimulation(t, "kind: kill, target: nodehost-2")
}
