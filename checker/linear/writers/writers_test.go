// SPDX-License-Identifier: Apache-2.0

package writers

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/reference"
)

var seeds = flag.Uint64("writers.seeds", 8000, "histories to hold against porcupine")

// named makes a small history of one key that names its writes: all kinds of
// operation, many unknown outcomes, values that repeat or don't, damaged or
// not.
func named(rng *rand.Rand, seed uint64) []history.Op {
	ops := generate.History(generate.Spec{
		Seed: seed, Ops: 3 + rng.IntN(14), Keys: 1, Clients: 1 + rng.IntN(5), Values: rng.IntN(7), Strings: true, Named: true,
		Put: 0.25, Cas: 0.15, Append: 0.2 * float64(rng.IntN(2)), Delete: 0.1, Failed: 0.05,
		Unknown: []float64{0.1, 0.3, 0.5}[rng.IntN(3)], Blind: 0.3 * float64(rng.IntN(2)), Ties: rng.IntN(2) == 0,
	})
	for range rng.IntN(6) * rng.IntN(2) {
		generate.Damage(rng, ops)
	}
	return ops
}

// forget takes names from some of the operations.
func forget(rng *rand.Rand, ops []history.Op) {
	nameless := make(map[string]bool)
	for i := range ops {
		if rng.IntN(6) == 0 {
			nameless[ops[i].Writer] = true
			ops[i].Writer = ""
		}
	}
	for i := range ops {
		if rng.IntN(3) == 0 || nameless[ops[i].ObservedWriter] {
			ops[i].ObservedWriter = ""
		}
	}
}

// What names decide porcupine decides the same, and they decide nearly all.
func TestNamesAgreeWithPorcupine(t *testing.T) {
	for name, some := range map[string]bool{"all name": false, "some name": true} {
		t.Run(name, func(t *testing.T) {
			counts := make(map[model.Verdict]int)
			searched, whole := 0, 0
			for seed := range *seeds {
				rng := rand.New(rand.NewPCG(seed, 6))
				ops := named(rng, seed)
				if some {
					forget(rng, ops)
				}
				k, v, order, why := Judge(t.Context(), model.KV, "k0", ops)
				counts[v]++
				switch v {
				case model.OK:
					require.NoError(t, model.Verify(model.KV, "k0", ops, order), "seed %d", seed)
				case model.Violation:
					require.False(t, reference.Linearizable(ops), "seed %d", seed)
					if set := k.Conflict(); set != nil {
						require.False(t, reference.Linearizable(set), "seed %d: %v", seed, set)
					} else {
						whole++
					}
				default:
					require.NotEmpty(t, why, "seed %d", seed)
				}
				if k.tried > 1 {
					searched++
				}
			}
			t.Logf("%v, %d searched, %d whole", counts, searched, whole)
			few := int(*seeds / 20)
			require.Greater(t, counts[model.OK], few)
			require.Greater(t, counts[model.Violation], few)
			require.Greater(t, searched, few/4)
		})
	}
}
