// SPDX-License-Identifier: Apache-2.0

package zones

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/reference"
)

// On keys inside the fragment zones say what porcupine says, with an order that
// shows it, or a conflict that porcupine finds illegal, too.
func TestZonesAgreeWithPorcupine(t *testing.T) {
	counts := make(map[Outcome]int)
	var z Judge
	for seed := range uint64(6000) {
		rng := rand.New(rand.NewPCG(seed, 2))
		ops := generate.History(generate.Spec{
			Seed: seed, Ops: 3 + rng.IntN(14), Keys: 1, Clients: 1 + rng.IntN(5), Put: 0.35, Cas: 0.2, Unknown: 0.2, Failed: 0.05, Ties: rng.IntN(2) == 0,
		})
		for range rng.IntN(8) {
			generate.Damage(rng, ops)
		}
		l, err := keylog.Of(model.KV, ops)
		require.NoError(t, err)
		k := l.Keys[0]
		require.Zero(t, k.Features)
		outcome := z.Run(k)
		counts[outcome]++
		switch legal := reference.Linearizable(ops); outcome {
		case Linearizable:
			require.True(t, legal, "seed %d", seed)
			require.NoError(t, model.Verify(model.KV, k.Name, ops, z.Order()), "seed %d", seed)
		case Illegal:
			require.False(t, legal, "seed %d", seed)
			var conflict []history.Op
			for _, i := range z.Conflict() {
				conflict = append(conflict, ops[i])
			}
			require.False(t, reference.Linearizable(conflict), "seed %d: %v", seed, conflict)
		}
	}
	require.Greater(t, counts[Linearizable], 1000)
	require.Greater(t, counts[Illegal], 1000)
}

func TestZonesThatClash(t *testing.T) {
	forward, backward := Zone{First: 10, Last: 20}, Zone{First: 15, Last: 12}
	require.True(t, forward.Forward())
	require.False(t, backward.Forward())
	require.True(t, forward.Clashes(backward), "it lies inside")
	require.True(t, backward.Clashes(forward))
	require.False(t, forward.Clashes(Zone{First: 20, Last: 15}), "they touch")
	require.False(t, forward.Clashes(Zone{First: 20, Last: 30}))
	require.False(t, backward.Clashes(Zone{First: 14, Last: 13}), "two backward zones never do")
}
