// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestLossyLosesAShareOfTheTargetsMessages(t *testing.T) {
	effect := strikes(t, "kind: lossy, target: nodehost-2, drop: 25%", func(t *testing.T, b *board) {
		require.Equal(t, world.Link{Drop: 0.25}, b.link("nodehost-2", "nodehost-1"))
		require.Equal(t, world.Link{Drop: 0.25}, b.link(world.Clients, "nodehost-2"))
		require.Len(t, b.links(), 16, "eight places, both ways")
	})
	require.Equal(t, world.Effect{MessagesDropped: 1}, effect)
	strikesSimulation(t, "kind: lossy, target: nodehost-2, drop: 25%")
}
