// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestWipeEndsTheProcessAndItsDisk(t *testing.T) {
	effect := strikes(t, "kind: wipe, target: nodehost-2", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s wipe nodehost-2"}, b.journal())
	})
	require.Equal(t, world.Effect{ProcessesEnded: 1}, effect)
	effect = strikesSimulation(t, "kind: wipe, target: nodehost-2")
	require.Positive(t, effect.FilesLost)
	require.Positive(t, effect.BytesLost)
}
