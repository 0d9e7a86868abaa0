// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestCorruptFlipsBitsThatChecksumsSee(t *testing.T) {
	effect := strikes(t, "kind: corrupt, target: nodehost-2, share: 25%", func(t *testing.T, b *board) {
		require.Equal(t, world.Link{Corrupt: 0.25}, b.link("nodehost-2", "nodehost-1"))
		require.Equal(t, world.Link{Corrupt: 0.25}, b.link(world.Clients, "nodehost-2"))
	})
	require.Equal(t, world.Effect{MessagesCorrupted: 1, ConnectionsReset: 1}, effect)
	effect = strikesSimulation(t, "kind: corrupt, target: nodehost-2, share: 25%")
	require.Positive(t, effect.MessagesCorrupted)
	require.Positive(t, effect.ConnectionsReset)
}
