// SPDX-License-Identifier: Apache-2.0

package latency

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

const ms = scenarios.Duration(time.Millisecond)

func draws(l scenarios.Latency, n int) []time.Duration {
	rng, d := rand.New(rand.NewPCG(1, 2)), Of(l)
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = d.Draw(rng)
	}
	slices.Sort(all)
	return all
}

func TestDrawsHaveTheGivenPercentiles(t *testing.T) {
	const n = 200_000
	all := draws(scenarios.Latency{Min: ms / 2, Median: 2 * ms, P99: 20 * ms}, n)
	require.GreaterOrEqual(t, all[0], 500*time.Microsecond)
	require.InEpsilon(t, 2*time.Millisecond, all[n/2], 0.02)
	require.InEpsilon(t, 20*time.Millisecond, all[n*99/100], 0.05)
	require.LessOrEqual(t, all[n-1], 200*time.Millisecond)
	require.Greater(t, all[n-1], 40*time.Millisecond, "there is a tail")
}

func TestATailIsCutOff(t *testing.T) {
	all := draws(scenarios.Latency{Median: 1, P99: ms}, 100_000)
	require.Equal(t, 10*time.Millisecond, all[len(all)-1])
}

func TestEqualPercentilesAreAConstant(t *testing.T) {
	for _, of := range []scenarios.Latency{{}, {Min: ms, Median: ms, P99: ms}, {Min: ms, Median: 2 * ms, P99: 2 * ms}} {
		all := draws(of, 10)
		require.Equal(t, []time.Duration{of.Median.D()}, slices.Compact(all))
		require.Equal(t, of.Median.D(), Of(of).Median())
	}
	require.True(t, Of(scenarios.Latency{}).IsZero())
}
