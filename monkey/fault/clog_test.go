// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestClogHoldsWhatIsSent(t *testing.T) {
	effect := strikes(t, "kind: clog, target: nodehost-2", func(t *testing.T, b *board) {
		require.Equal(t, world.Link{Hold: true}, b.link("nodehost-2", "nodehost-1"))
		require.Equal(t, world.Link{Hold: true}, b.link(world.Clients, "nodehost-2"))
	})
	require.Equal(t, world.Effect{MessagesHeld: 1, BytesHeld: 1, ConnectionsReset: 1}, effect)
	strikes(t, "kind: clog, target: nodehost-2, direction: out", func(t *testing.T, b *board) {
		require.Equal(t, world.Link{Hold: true}, b.link("nodehost-2", "nodehost-1"))
		require.Zero(t, b.link("nodehost-1", "nodehost-2"))
	})
	strikes(t, "kind: clog, target: nodehost-2, direction: in", func(t *testing.T, b *board) {
		require.Zero(t, b.link("nodehost-2", "nodehost-1"))
		require.Equal(t, world.Link{Hold: true}, b.link("nodehost-1", "nodehost-2"))
	})
	effect = strikesSimulation(t, "kind: clog, target: nodehost-2")
	require.Positive(t, effect.MessagesHeld)
}
