// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestRotDamagesADiskThatIsThenReplaced(t *testing.T) {
	effect := strikes(t, "kind: rot, target: nodehost-2, in: log, bits: 3", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s kill nodehost-2", "5s 3 bits of log files flipped nodehost-2"}, b.journal())
	})
	require.Equal(t, world.Effect{ProcessesEnded: 2, BitsFlipped: 3, DisksRefused: 1}, effect, "the board ends a process with each disk")
	for _, in := range []string{"log", "record"} {
		effect = strikesSimulation(t, "kind: rot, target: nodehost-2, bits: 20, in: "+in)
		require.EqualValues(t, 20, effect.BitsFlipped, in)
		if in == "record" {
			require.EqualValues(t, 1, effect.DisksRefused, "of log and snapshots a replica is refused, not the disk")
		}
	}
}
