// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestResetEndsConnectionsAgainAndAgain(t *testing.T) {
	effect := strikes(t, "kind: reset, target: nodehost-2, pause: 3s", func(t *testing.T, b *board) {
		require.Empty(t, b.links())
		require.Len(t, b.journal(), 2*8, "at 5 s and at 8 s, to eight places")
		require.Equal(t, "5s reset nodehost-2 clients", b.journal()[0])
		require.Equal(t, "8s reset nodehost-2 clients", b.journal()[8])
	})
	require.Equal(t, world.Effect{ConnectionsReset: 1, MessagesDropped: 1}, effect)
	strikesSimulation(t, "kind: reset, target: nodehost-2, pause: 3s")
}
