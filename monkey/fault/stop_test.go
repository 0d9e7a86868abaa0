// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestStopEndsTheProcessInGoodOrder(t *testing.T) {
	effect := strikes(t, "kind: stop, target: nodehost-2", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s stop nodehost-2"}, b.journal())
	})
	require.Equal(t, world.Effect{ProcessesEnded: 1}, effect)
	strikesSimulation(t, "kind: stop, target: nodehost-2")
	strikesSimulation(t, "kind: stop, target: drummer-leader")
}
