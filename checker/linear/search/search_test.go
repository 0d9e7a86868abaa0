// SPDX-License-Identifier: Apache-2.0

package search

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/reference"
)

const memory = 64 << 20

// Depth first and breadth first, laid out by key or by the model: all searches
// say what porcupine says, and an OK comes with an order that shows it.
func TestSearchesAgreeWithPorcupine(t *testing.T) {
	legal := 0
	const seeds = 4000
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 4))
		ops := generate.History(generate.Spec{
			Seed: seed, Ops: 3 + rng.IntN(12), Keys: 1, Clients: 1 + rng.IntN(5), Values: 1 + rng.IntN(4), Put: 0.3, Cas: 0.2, Append: 0.1, Delete: 0.1,
			Unknown: 0.2, Failed: 0.05, Blind: 0.3, Strings: true, Ties: rng.IntN(2) == 0,
		})
		for range rng.IntN(12) {
			generate.Damage(rng, ops)
		}
		want := model.Violation
		if reference.Linearizable(ops) {
			want = model.OK
			legal++
		}
		l, err := keylog.Of(model.KV, ops)
		require.NoError(t, err)
		byKey, of := OfKey(l.Keys[0])
		var constraining []history.Op
		var all []int
		for i := range ops {
			if model.KV.Constrains(&ops[i]) {
				constraining, all = append(constraining, ops[i]), append(all, i)
			}
		}
		for _, c := range []struct {
			problem *Problem
			of      []int
		}{{byKey, of}, {OfModel(model.KV, "k0", constraining), all}} {
			pl, ok := layOut(c.problem, memory)
			require.True(t, ok)
			for _, way := range []func(*search) (model.Verdict, []int32){(*search).depthFirst, (*search).breadthFirst} {
				s := newSearch(t.Context(), pl, memory)
				v, path := way(s)
				require.Equal(t, want, v, "seed %d", seed)
				if v == model.OK {
					order := s.order(path)
					for i := range order {
						order[i] = c.of[order[i]]
					}
					require.NoError(t, model.Verify(model.KV, "k0", ops, order), "seed %d", seed)
				}
			}
		}
	}
	require.Greater(t, legal, seeds/10)
	require.Less(t, legal, seeds-seeds/10)
}

func TestASearchWithoutTimeOrMemoryIsUnknown(t *testing.T) {
	// Many writers at once, and reads in an order that is hard to find.
	rng := rand.New(rand.NewPCG(1, 1))
	var ops []history.Op
	for i := range int64(400) {
		op := history.Op{Client: i, Key: "k0", Kind: history.Get, Observed: history.Int(rng.Int64N(60)), Call: 10 * i, Return: 10*i + 300 + rng.Int64N(600), Outcome: history.OK}
		if rng.IntN(2) == 0 {
			op.Kind, op.Value, op.Observed = history.Put, op.Observed, history.Value{}
		}
		ops = append(ops, op)
	}
	part := Part{Problem: OfModel(model.KV, "k0", ops), Model: model.KV, Name: "k0", Ops: func() []history.Op { return ops }}
	require.Equal(t, model.Unknown, Solve(t.Context(), part, Limits{Memory: 100, NoPorcupine: true}).Verdict)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, model.Unknown, Solve(ended, part, Limits{Memory: memory}).Verdict)
}
