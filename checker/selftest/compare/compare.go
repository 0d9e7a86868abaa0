// SPDX-License-Identifier: Apache-2.0

// Package compare holds the engines of package linear against porcupine, on
// histories made at random: every verdict must be the same, every ok must
// come with an order that explains it, every violation with a core that
// porcupine finds illegal too. Porcupine gets the model of package reference.
package compare

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/reference"
)

// Report counts what was compared.
type Report struct {
	Histories, Operations, OK, Violations int
	// Engines counts the histories that each engine, or set of engines,
	// decided.
	Engines map[string]int
}

// Run compares n random histories of the seed. The error describes the first
// disagreement, with the history. tell, if not nil, is called now and then.
func Run(ctx context.Context, seed uint64, n int, tell func(Report)) (Report, error) {
	r := Report{Engines: make(map[string]int)}
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range n {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		ops := small(rng)
		if err := r.one(ctx, rng, ops); err != nil {
			return r, fmt.Errorf("history %d of seed %d: %w\n%s", i, seed, err, lines(ops))
		}
		if tell != nil && i%100_000 == 99_999 {
			tell(r)
		}
	}
	return r, nil
}

func (r *Report) one(ctx context.Context, rng *rand.Rand, ops []history.Op) error {
	want := linear.OK
	if !reference.Linearizable(ops) {
		want = linear.Violation
	}
	options := linear.Options{Certify: true}
	if rng.IntN(4) == 0 {
		options.Engine = linear.Search
	}
	res, err := linear.Check(ctx, ops, options)
	if err != nil {
		return err
	}
	if res.Verdict != want {
		return fmt.Errorf("%s says %s (%s), porcupine %s", res.Engine, res.Verdict, res.Explanation, want)
	}
	if want == linear.Violation {
		if err := confirmed(res.Core); err != nil {
			return err
		}
		r.Violations++
	} else {
		if err := certified(ops, res.Orders); err != nil {
			return err
		}
		r.OK++
	}
	r.Histories++
	r.Operations += len(ops)
	r.Engines[res.Engine]++
	return nil
}

func confirmed(core []history.Op) error {
	if len(core) == 0 {
		return fmt.Errorf("the violation comes without a core")
	}
	if reference.Linearizable(core) {
		return fmt.Errorf("porcupine finds an order of the core:\n%s", lines(core))
	}
	return nil
}

func certified(ops []history.Op, orders map[string][]int) error {
	for i := range ops {
		op := &ops[i]
		if model.KV.Constrains(op) && orders[op.Key] == nil && op.Outcome != history.Unknown {
			return fmt.Errorf("the ok comes without an order for %s", op.Key)
		}
	}
	for key, order := range orders {
		if err := model.Verify(model.KV, key, ops, order); err != nil {
			return fmt.Errorf("the order of %s shows nothing: %w", key, err)
		}
	}
	return nil
}

func lines(ops []history.Op) string {
	var b bytes.Buffer
	_ = history.WriteJSONL(&b, ops) // made by package generate: always UTF-8
	return b.String()
}

// small makes a small history of any shape: all kinds of operation, ties in
// time, unknown outcomes, values that repeat or don't, and mostly damaged.
func small(rng *rand.Rand) []history.Op {
	chance := func(n int, f float64) float64 {
		if rng.IntN(n) == 0 {
			return f
		}
		return 0
	}
	s := generate.Spec{
		Seed: rng.Uint64(), Ops: 2 + rng.IntN(14), Keys: 1 + rng.IntN(2), Clients: 1 + rng.IntN(5),
		Unknown: []float64{0, 0.1, 0.3}[rng.IntN(3)], Failed: chance(2, 0.05),
		Put: 0.35, Cas: 0.25 * float64(rng.IntN(3)) / 2, Append: chance(4, 0.15), Delete: chance(4, 0.15),
		Blind: chance(4, 0.5), Ties: rng.IntN(2) == 0, Strings: rng.IntN(2) == 0, Named: rng.IntN(6) == 0,
	}
	if rng.IntN(3) == 0 {
		s.Values = 2 + rng.IntN(3)
	}
	ops := generate.History(s)
	for range rng.IntN(5) * rng.IntN(4) {
		generate.Damage(rng, ops)
	}
	rng.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
	return ops
}
