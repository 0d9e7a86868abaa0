// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestReorderPutsMessagesBehindLaterOnes(t *testing.T) {
	effect := strikes(t, "kind: reorder, target: nodehost-2, share: 25%", func(t *testing.T, b *board) {
		require.Equal(t, world.Link{Reorder: 0.25}, b.link("nodehost-2", "nodehost-1"))
		require.Equal(t, world.Link{Reorder: 0.25}, b.link(world.Clients, "nodehost-2"))
	})
	require.Equal(t, world.Effect{MessagesReordered: 1}, effect)
	strikesSimulation(t, "kind: reorder, target: nodehost-2, share: 25%")
}
