// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAClockTicksTooFastOrTooSlow(t *testing.T) {
	strikes(t, "kind: clock, target: nodehost-2, percent: 50", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s ticks 0.5 as fast nodehost-2", "5s kill nodehost-2", "5s boot nodehost-2"}, b.journal())
	})
	for percent, off := range map[string]float64{"50": 100, "200": 200} { // of 200 ticks
		effect := strikesSimulation(t, "kind: clock, target: drummer-2, percent: "+percent)
		require.EqualValues(t, 2, effect.ProcessesEnded)
		require.InDelta(t, off, effect.TicksOff, 10, percent)
	}
	require.Positive(t, strikesSimulation(t, "kind: clock, target: nodehost-2, percent: 200").TicksOff)
}
