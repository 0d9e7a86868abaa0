// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestDelayHoldsTheTargetsMessagesBack(t *testing.T) {
	effect := strikes(t, "kind: delay, target: nodehost-2, latency: 100ms, jitter: 50ms", func(t *testing.T, b *board) {
		late := world.Link{Delay: 100 * time.Millisecond, Jitter: 50 * time.Millisecond}
		require.Equal(t, late, b.link("nodehost-2", "nodehost-1"))
		require.Equal(t, late, b.link(world.Clients, "nodehost-2"))
		require.Len(t, b.links(), 16, "eight places, both ways")
	})
	require.Equal(t, world.Effect{MessagesDelayed: 1}, effect)
	strikesSimulation(t, "kind: delay, target: nodehost-2, latency: 100ms, jitter: 50ms")
}
