// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func TestAClockTicksTooFastOrTooSlow(t *testing.T) {
	strikes(t, "kind: clock, target: nodehost-2, percent: 50", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s ticks 0.5 as fast, 1 at once nodehost-2", "5s kill nodehost-2", "5s boot nodehost-2"}, b.journal())
	})
	for percent, off := range map[string]float64{"50": 100, "200": 200} { // of 200 ticks
		effect := strikesSimulation(t, "kind: clock, target: drummer-2, percent: "+percent)
		require.EqualValues(t, 2, effect.ProcessesEnded)
		require.InDelta(t, off, effect.TicksOff, 10, percent)
		require.Zero(t, effect.TicksHeld)
	}
	require.Positive(t, strikesSimulation(t, "kind: clock, target: nodehost-2, percent: 200").TicksOff)
}

// There are as many ticks as there should be, nine of ten of them late.
func TestAClockTicksInBursts(t *testing.T) {
	effect := strikes(t, "kind: clock, target: nodehost-2, burst: 10", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s ticks 1 as fast, 10 at once nodehost-2", "5s kill nodehost-2", "5s boot nodehost-2"}, b.journal())
	})
	require.Equal(t, world.Effect{ProcessesEnded: 2, TicksHeld: 1, TicksOff: effect.TicksOff}, effect)
	for _, host := range []string{"drummer-2", "nodehost-2"} {
		effect := strikesSimulation(t, "kind: clock, burst: 10, target: "+host)
		require.EqualValues(t, 2, effect.ProcessesEnded)
		require.InDelta(t, 180, effect.TicksHeld, 20, "of 200 ticks")
		require.LessOrEqual(t, effect.TicksOff, int64(20), "of 200 ticks, on %s", host)
	}
}

func TestAClockThatIsRightIsNoFault(t *testing.T) {
	for parameters, key := range map[string]string{"percent: 100": "percent", "burst: 1": "percent", "burst: 2..101": "burst"} {
		_, err := scenarios.Parse("test.yaml", []byte("name: test\nduration: 1m\nfaults: [{kind: clock, target: nodehost, at: [1s], for: 5s, "+parameters+"}]\n"))
		require.ErrorContains(t, err, "faults[0]."+key+": found", parameters)
	}
}
