// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABridgeReachesBothGroups(t *testing.T) {
	strikes(t, "kind: bridge, target: nodehost-2", func(t *testing.T, b *board) {
		require.Len(t, b.reaches("nodehost-2"), 8, "all others and the clients")
		groups := map[int]int{}
		for _, h := range b.Hosts() {
			if h.Name != "nodehost-2" {
				groups[len(b.reaches(h.Name))]++ // with the bridge and the clients
			}
		}
		require.Equal(t, map[int]int{4: 3, 5: 4}, groups, "three hosts and four")
	})
	strikesSimulation(t, "kind: bridge, target: nodehost-2")
}
