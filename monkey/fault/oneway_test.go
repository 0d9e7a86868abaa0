// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOneWayCutsOneDirection(t *testing.T) {
	effect := strikes(t, "kind: one-way, target: nodehost-2, direction: out", func(t *testing.T, b *board) {
		require.Empty(t, b.reaches("nodehost-2"))
		require.Len(t, b.reaches("nodehost-1"), 8)
	})
	require.Equal(t, cut, effect)
	effect = strikes(t, "kind: one-way, target: nodehost-2, direction: in", func(t *testing.T, b *board) {
		require.Len(t, b.reaches("nodehost-2"), 8)
		require.NotContains(t, b.reaches("nodehost-1"), "nodehost-2")
	})
	require.Equal(t, cut, effect)
	strikes(t, "kind: one-way, target: nodehost-2", func(t *testing.T, b *board) {
		require.Len(t, b.links(), 8, "one of the two directions")
	})
	strikesSimulation(t, "kind: one-way, target: nodehost-2, direction: out")
}
