// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestDuplicateRepeatsAShareOfTheTargetsMessages(t *testing.T) {
	effect := strikes(t, "kind: duplicate, target: nodehost-2, share: 25%", func(t *testing.T, b *board) {
		require.Equal(t, world.Link{Duplicate: 0.25}, b.link("nodehost-2", "nodehost-1"))
		require.Equal(t, world.Link{Duplicate: 0.25}, b.link("drummer-1", "nodehost-2"))
		require.Len(t, b.links(), 16, "eight places, both ways")
	})
	require.Equal(t, world.Effect{MessagesDuplicated: 1}, effect)
	strikesSimulation(t, "kind: duplicate, target: nodehost-2, share: 25%")
}
