// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestBandwidthLetsMessagesWaitForThoseBeforeThem(t *testing.T) {
	effect := strikes(t, "kind: bandwidth, target: nodehost-2, bytes_per_second: 2000", func(t *testing.T, b *board) {
		require.Equal(t, world.Link{Bandwidth: 2000}, b.link("nodehost-2", "nodehost-1"))
		require.Equal(t, world.Link{Bandwidth: 2000}, b.link(world.Clients, "nodehost-2"))
	})
	require.Equal(t, world.Effect{MessagesDelayed: 1, MessagesDropped: 1}, effect)
	effect = strikesSimulation(t, "kind: bandwidth, target: nodehost-2, bytes_per_second: 200")
	require.Positive(t, effect.MessagesDropped, "the queues are too long")
}
