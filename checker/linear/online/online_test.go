// SPDX-License-Identifier: Apache-2.0

package online

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
)

// feed gives the events to a judge until it finds a violation, and
// returns which event made it; -1 for none.
func feed(o *Judge, ops []history.Op, events []generate.Event) int {
	tickets := make([]Ticket, len(ops))
	for n, e := range events {
		if !e.End {
			tickets[e.N] = o.Begin(e.Op)
		} else if o.End(tickets[e.N], e.Op) != nil {
			return n
		}
	}
	return -1
}

// prefix returns the history as it is known after n events.
func prefix(ops []history.Op, events []generate.Event) []history.Op {
	known := make(map[int]history.Op)
	for _, e := range events {
		op := *e.Op
		if !e.End {
			op.Outcome, op.Observed, op.ObservedWriter, op.Refuted = history.Unknown, history.Value{}, "", false
		}
		known[e.N] = op
	}
	var out []history.Op
	for i := range ops {
		if op, ok := known[i]; ok {
			out = append(out, op)
		}
	}
	return out
}

func onlineSpec(rng *rand.Rand, ops int) generate.Spec {
	s := generate.Spec{
		Seed: rng.Uint64(), Ops: ops, Keys: 1, Clients: 1 + rng.IntN(6), Put: 0.3, Strings: true,
		Unknown: []float64{0, 0.1, 0.3}[rng.IntN(3)], Failed: 0.05 * float64(rng.IntN(2)), Ties: rng.IntN(3) == 0,
	}
	if rng.IntN(3) > 0 {
		s.Cas = 0.25
	}
	if rng.IntN(3) == 0 {
		s.Named, s.Append, s.Delete = true, 0.1, 0.1
	}
	return s
}

func TestOnlineFindsTheVeryEventThatMakesAHistoryIllegal(t *testing.T) {
	found, legal, deferred := 0, 0, 0
	seeds := uint64(30_000)
	if testing.Short() {
		seeds /= 10
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 3))
		spec := onlineSpec(rng, 4+rng.IntN(30))
		ops := generate.History(spec)
		for range rng.IntN(4) {
			generate.Damage(rng, ops)
		}
		events := generate.Events(ops)
		o := New(0)
		o.leastPrune = 1 + rng.IntN(8)
		at := feed(o, ops, events)
		if len(o.Deferred()) > 0 {
			deferred++
			continue
		}
		whole := len(events)
		if at >= 0 {
			found++
			require.False(t, legalPrefix(t, ops, events[:at+1]), "seed %d: violation reported at event %d\n%s", seed, at, text(prefix(ops, events[:at+1])))
			whole = at
		} else {
			legal++
		}
		if spec.Named && (spec.Unknown > 0 || at >= 0) {
			continue // what a named write replaced is known only when it ended, if ever
		}
		require.True(t, legalPrefix(t, ops, events[:whole]), "seed %d: no violation reported in the first %d events\n%s", seed, whole, text(prefix(ops, events[:whole])))
	}
	t.Logf("%d violations, %d legal, %d deferred", found, legal, deferred)
	require.Greater(t, found, int(seeds/10))
	require.Greater(t, legal, int(seeds/10))
}

func legalPrefix(t *testing.T, ops []history.Op, events []generate.Event) bool {
	res, err := linear.Check(t.Context(), prefix(ops, events), linear.Options{})
	require.NoError(t, err)
	require.NotEqual(t, linear.Unknown, res.Verdict, res.Explanation)
	return res.Verdict == linear.OK
}

func text(ops []history.Op) string {
	var b []byte
	for i := range ops {
		b, _ = ops[i].AppendJSON(b)
	}
	return string(b)
}

func TestOnlineForgetsWhatIsSettled(t *testing.T) {
	o := New(0)
	ops := generate.History(generate.Spec{Seed: 5, Ops: 100_000, Keys: 10, Clients: 32, Put: 0.4, Cas: 0.1, Strings: true})
	require.Equal(t, -1, feed(o, ops, generate.Events(ops)))
	require.Empty(t, o.Deferred())
	require.Equal(t, len(ops), o.Judged())
	require.Less(t, len(o.states), 10_000)
	require.LessOrEqual(t, len(o.open), 32)
}

// An operation that never ends holds on to the history of its own key only.
func TestOnlineForgetsBesidesAnOperationThatNeverEnds(t *testing.T) {
	o := New(0)
	o.Begin(&history.Op{Key: "stuck", Kind: history.Get})
	for i := range int64(50_000) {
		op := history.Op{Key: "k", Kind: history.Put, Value: history.Int(i), Call: 2 * i, Return: 2*i + 1, Outcome: history.OK}
		require.Nil(t, o.End(o.Begin(&op), &op))
	}
	require.Less(t, len(o.states), 100)
	require.Less(t, len(o.open), 10)
}

func TestOnlineTakesNoTicketTwice(t *testing.T) {
	o := New(0)
	op := history.Op{Key: "k", Kind: history.Put, Value: history.Int(1), Return: 1, Outcome: history.OK}
	first := o.Begin(&op)
	require.Nil(t, o.End(first, &op))
	next := history.Op{Key: "k", Kind: history.Put, Value: history.Int(2), Call: 2, Return: 3, Outcome: history.OK}
	second := o.Begin(&next)
	require.NotEqual(t, first, second)
	for _, stale := range []Ticket{first, second + 1, 1 << 40} {
		require.Nil(t, o.End(stale, &op))
	}
	require.Equal(t, 1, o.Judged())
	require.Nil(t, o.End(second, &next))
	require.Equal(t, 2, o.Judged())
}

func TestOnlineDefersWhatItCannotJudge(t *testing.T) {
	for name, ops := range map[string][]history.Op{
		"repeated value": {
			{Key: "k", Kind: history.Put, Value: history.Int(1), Outcome: history.OK},
			{Key: "k", Kind: history.Put, Value: history.Int(1), Call: 1, Return: 2, Outcome: history.OK},
		},
		"append without names": {{Key: "k", Kind: history.Append, Value: history.String("x"), Outcome: history.OK}},
		"delete without names": {{Key: "k", Kind: history.Delete, Outcome: history.OK}},
		"blind failed cas":     {{Key: "k", Kind: history.Cas, Expected: history.Int(1), Value: history.Int(2), Outcome: history.Fail, Refuted: true}},
	} {
		t.Run(name, func(t *testing.T) {
			o := New(0)
			require.Equal(t, -1, feed(o, ops, generate.Events(ops)))
			require.Equal(t, []string{"k"}, o.Deferred())
		})
	}
}

func TestPlantedViolationsAreFoundAtTheirLastOperation(t *testing.T) {
	for _, plant := range generate.Plants {
		for _, named := range []bool{false, true} {
			if plant == generate.Resurrected && !named {
				continue // deletes without names are deferred
			}
			o := New(0)
			ops := generate.History(generate.Spec{Seed: 9, Ops: 20_000, Keys: 10, Clients: 16, Put: 0.3, Cas: 0.2, Unknown: 0.01})
			ops = append(ops, generate.Planted(plant, "planted", 1_000_000, named)...)
			events := generate.Events(ops)
			at := feed(o, ops, events)
			require.GreaterOrEqual(t, at, 0, plant)
			require.Equal(t, "planted", ops[events[at].N].Key, plant)
			if plant != generate.FutureRead {
				require.Equal(t, len(ops)-1, events[at].N, plant)
			}
		}
	}
}
