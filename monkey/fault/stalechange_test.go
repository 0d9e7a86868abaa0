// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestStaleChangesAreAskedForUntilTheEnd(t *testing.T) {
	effect := strikes(t, "kind: stale-change, target: nodehost-2", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s stale changes nodehost-2"}, b.journal())
	})
	require.Equal(t, world.Effect{ChangesRefused: 1}, effect)
	effect = strikesSimulation(t, "kind: stale-change, target: nodehost-2")
	require.Greater(t, effect.ChangesRefused, int64(10))
}
