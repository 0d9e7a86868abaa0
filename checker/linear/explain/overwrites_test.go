// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/reference"
)

func repeating(rng *rand.Rand) []history.Op {
	s := generate.Spec{
		Seed: rng.Uint64(), Ops: 5 + rng.IntN(40), Keys: 1, Clients: 1 + rng.IntN(6), Values: 1 + rng.IntN(4),
		Put: 0.35, Cas: 0.2, Unknown: []float64{0, 0.1}[rng.IntN(2)], Failed: 0.05, Blind: 0.3 * float64(rng.IntN(2)),
		Strings: true, Ties: rng.IntN(3) == 0, Named: rng.IntN(4) == 0,
	}
	if rng.IntN(3) == 0 {
		s.Append, s.Delete = 0.1, 0.1
	}
	return generate.History(s)
}

// A core is illegal for a reason of the whole: what is left out of a legal
// history never makes the rest illegal.
func TestWhatMayBeLeftOutMakesNothingIllegal(t *testing.T) {
	dropped := 0
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 11))
		var ops []history.Op
		for _, op := range repeating(rng) {
			if model.KV.Constrains(&op) {
				ops = append(ops, op)
			}
		}
		p := newOverwrites(ops)
		for n := 1; n < len(ops); n += 1 + len(ops)/6 {
			require.False(t, !reference.Linearizable(p.closure(n)), "seed %d: the last %d of\n%s", seed, n, lines(ops))
		}
		set := p.closure(len(ops))
		for _, at := range rng.Perm(len(set)) {
			if at < len(set) && p.mayDrop(set, at) && set[at].Kind != history.Get {
				set = append(set[:at:at], set[at+1:]...)
				dropped++
				require.False(t, !reference.Linearizable(set), "seed %d: left of\n%s\n%s", seed, lines(ops), lines(set))
			}
		}
	}
	require.Greater(t, dropped, 5000)
}

func lines(ops []history.Op) string {
	var b []byte
	for i := range ops {
		b, _ = ops[i].AppendJSON(b)
	}
	return string(b)
}
