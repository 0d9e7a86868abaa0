// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/generate"
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
			if KV.Says(&op) {
				ops = append(ops, op)
			}
		}
		p := newPast(ops)
		for n := 1; n < len(ops); n += 1 + len(ops)/6 {
			require.False(t, illegalKV(t.Context(), KV, p.closure(n)), "seed %d: the last %d of\n%s", seed, n, text(ops))
		}
		set := p.closure(len(ops))
		for _, at := range rng.Perm(len(set)) {
			if at < len(set) && p.mayDrop(set, at) && set[at].Kind != history.Get {
				set = append(set[:at:at], set[at+1:]...)
				dropped++
				require.False(t, illegalKV(t.Context(), KV, set), "seed %d: left of\n%s\n%s", seed, text(ops), text(set))
			}
		}
	}
	require.Greater(t, dropped, 5000)
}

// The core of a stale read is a few operations, however often its value was
// written before.
func TestCoresAreSmallWhereValuesRepeat(t *testing.T) {
	var ops []history.Op
	for i := range int64(5000) {
		value := history.String([]string{"a", "b", "c"}[i%3])
		ops = append(ops, history.Op{Key: "k", Kind: history.Put, Value: value, Call: 10 * i, Return: 10*i + 5, Outcome: history.OK})
	}
	ops = append(ops, history.Op{Key: "k", Kind: history.Get, Observed: history.String("c"), Call: 60_000, Return: 60_001, Outcome: history.OK})
	res, err := Check(t.Context(), ops, Options{})
	require.NoError(t, err)
	require.Equal(t, Violation, res.Verdict)
	require.Len(t, res.Core, 3)
	require.Equal(t, history.String("b"), res.Core[1].Value)
	require.Equal(t, `client 0 read "c" from k at 60001, but client 0 wrote "b" to it and was done at 49995, before it was called at 60000; with one more operation, no order explains this`, res.Explanation)
}
