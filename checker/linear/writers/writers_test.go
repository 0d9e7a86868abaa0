// SPDX-License-Identifier: Apache-2.0

package writers

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/reference"
)

// What names decide porcupine decides the same, and they decide most.
func TestNamesAgreeWithPorcupine(t *testing.T) {
	counts := make(map[model.Verdict]int)
	const seeds = 6000
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 6))
		ops := generate.History(generate.Spec{
			Seed: seed, Ops: 3 + rng.IntN(14), Keys: 1, Clients: 1 + rng.IntN(5), Values: 1 + rng.IntN(6), Put: 0.3, Cas: 0.15, Append: 0.1, Delete: 0.1,
			Unknown: 0.1, Failed: 0.05, Strings: true, Named: true, Ties: rng.IntN(2) == 0,
		})
		for range rng.IntN(6) {
			generate.Damage(rng, ops)
		}
		k, v, order, why := Judge(t.Context(), model.KV, "k0", ops)
		counts[v]++
		switch v {
		case model.OK:
			require.NoError(t, model.Verify(model.KV, "k0", ops, order), "seed %d", seed)
		case model.Violation:
			require.False(t, reference.Linearizable(ops), "seed %d", seed)
			require.False(t, reference.Linearizable(k.Conflict()), "seed %d: %v", seed, k.Conflict())
		default:
			require.NotEmpty(t, why, "seed %d", seed)
		}
	}
	require.Greater(t, counts[model.OK], seeds/10)
	require.Greater(t, counts[model.Violation], seeds/10)
	require.Less(t, counts[model.Unknown], seeds/4)
}

func TestWhatLacksNamesIsUnknown(t *testing.T) {
	ops := []history.Op{
		{Key: "k", Kind: history.Put, Value: history.Int(1), Writer: "w", Return: 1, Outcome: history.OK},
		{Key: "k", Kind: history.Get, Observed: history.Int(1), Call: 2, Return: 3, Outcome: history.OK},
	}
	_, v, _, why := Judge(t.Context(), model.KV, "k", ops)
	require.Equal(t, model.Unknown, v)
	require.Equal(t, "operation 1 does not name the write that it saw", why)
}
