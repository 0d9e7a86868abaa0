// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestSlowDiskMakesSyncsTakeLonger(t *testing.T) {
	effect := strikes(t, "kind: slow-disk, target: nodehost-2, least: 1s, most: 2s", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s syncs 1s to 2s slower nodehost-2"}, b.journal())
	})
	require.Equal(t, world.Effect{SyncsSlowed: 1}, effect)
	strikesSimulation(t, "kind: slow-disk, target: nodehost-2, least: 1s, most: 2s")
}
