// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestPowerLossEndsTheProcessAndLosesWhatWasNotSynced(t *testing.T) {
	effect := strikes(t, "kind: power-loss, target: nodehost-2", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s power-loss nodehost-2"}, b.journal())
	})
	require.Equal(t, world.Effect{ProcessesEnded: 1, BytesLost: 1}, effect)
	strikesSimulation(t, "kind: power-loss, target: nodehost-2")
}

// Everything that is due with power losses begins when these have struck, at the
// same instant of the clock, and says why it is late.
func TestPowerLossesOfOneInstantStrikeTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		b.powerLossTakes = 300 * time.Millisecond
		r := carryOut(t, b, planOf(t,
			"kind: kill, target: nodehost-5, at: [10s], for: 5s",
			"kind: power-loss, target: drummer-1, at: [10s], for: 10s, lose_quorum: true",
			"kind: power-loss, target: drummer-2, at: [10s], for: 10s",
			"kind: lossy, target: nodehost-1, at: [10s], for: 5s, drop: 10%",
			"kind: lossy, target: nodehost-1, at: [10100ms], for: 1s, drop: 10%",
		), nil)
		require.Equal(t, []string{
			"10.3s power-loss drummer-1", "10.3s power-loss drummer-2", "10.3s kill nodehost-5",
			"15.3s boot nodehost-5", "20.3s boot drummer-1", "20.3s boot drummer-2",
		}, b.journal())
		for _, e := range r.entries[:4] {
			require.Equal(t, 10300*time.Millisecond, e.At)
		}
		for id := 1; id <= 4; id++ {
			began := r.began(t, id)
			require.Equal(t, 10*time.Second, began.Planned)
			require.Contains(t, began.Waited, "the same instant")
		}
		require.Contains(t, r.began(t, 5).Waited, "busy")
		require.EqualValues(t, 1, r.began(t, 2).Effect.BytesLost)
		require.EqualValues(t, 2, r.began(t, 3).Effect.BytesLost, "each has the effect on its own host")
	})
}
