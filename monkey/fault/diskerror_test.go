// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestADiskErrorEndsTheProcess(t *testing.T) {
	effect := strikes(t, "kind: disk-error, target: nodehost-2, on: full", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s error on write nodehost-2"}, b.journal())
	})
	require.Equal(t, world.Effect{ProcessesEnded: 1, DiskErrors: 1}, effect)
	for _, on := range []string{"write", "sync"} {
		effect = strikesSimulation(t, "kind: disk-error, target: cluster-leader of 1, on: "+on)
		require.EqualValues(t, 1, effect.DiskErrors, on)
		require.EqualValues(t, 1, effect.ProcessesEnded, on)
	}
	require.Positive(t, effect.BytesLost, "what the sync that failed was to make durable")
}
