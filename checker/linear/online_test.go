// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/generate"
)

// happening is the call or the return of an operation.
type happening struct {
	time int64
	end  bool
	op   int
}

func happenings(ops []history.Op) []happening {
	var hs []happening
	for i := range ops {
		hs = append(hs, happening{ops[i].Call, false, i})
		end := ops[i].Return
		if ops[i].Outcome == history.Unknown {
			end = ops[i].Call + 3
		}
		hs = append(hs, happening{end, true, i})
	}
	slices.SortStableFunc(hs, func(a, b happening) int {
		if a.time == b.time && a.end != b.end {
			if a.end {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.time, b.time)
	})
	return hs
}

// feed gives the happenings to a judge until it finds a violation, and
// returns which happening made it; -1 for none.
func feed(o *Online, ops []history.Op, hs []happening) int {
	tickets := make([]Ticket, len(ops))
	for n, h := range hs {
		if !h.end {
			tickets[h.op] = o.Begin(&ops[h.op])
		} else if o.End(tickets[h.op], &ops[h.op]) != nil {
			return n
		}
	}
	return -1
}

// prefix returns the history as it is known after n happenings.
func prefix(ops []history.Op, hs []happening) []history.Op {
	known := make(map[int]history.Op)
	for _, h := range hs {
		op := ops[h.op]
		if !h.end {
			op.Outcome, op.Observed, op.ObservedWriter, op.Refuted = history.Unknown, history.Value{}, "", false
		}
		known[h.op] = op
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
		hs := happenings(ops)
		o := NewOnline(0)
		o.leastSweep = 1 + rng.IntN(8)
		at := feed(o, ops, hs)
		if len(o.Deferred()) > 0 {
			deferred++
			continue
		}
		whole := len(hs)
		if at >= 0 {
			found++
			require.False(t, legalPrefix(t, ops, hs[:at+1]), "seed %d: violation reported at event %d\n%s", seed, at, text(prefix(ops, hs[:at+1])))
			whole = at
		} else {
			legal++
		}
		if spec.Named && (spec.Unknown > 0 || at >= 0) {
			continue // what a named write replaced is known only when it ended, if ever
		}
		require.True(t, legalPrefix(t, ops, hs[:whole]), "seed %d: no violation reported in the first %d events\n%s", seed, whole, text(prefix(ops, hs[:whole])))
	}
	t.Logf("%d violations, %d legal, %d deferred", found, legal, deferred)
	require.Greater(t, found, int(seeds/10))
	require.Greater(t, legal, int(seeds/10))
}

func legalPrefix(t *testing.T, ops []history.Op, hs []happening) bool {
	res, err := Check(t.Context(), prefix(ops, hs), Options{})
	require.NoError(t, err)
	require.NotEqual(t, Unknown, res.Verdict, res.Explanation)
	return res.Verdict == OK
}

func text(ops []history.Op) string {
	var b []byte
	for i := range ops {
		b, _ = ops[i].AppendJSON(b)
	}
	return string(b)
}

func TestOnlineForgetsWhatIsSettled(t *testing.T) {
	o := NewOnline(0)
	ops := generate.History(generate.Spec{Seed: 5, Ops: 100_000, Keys: 10, Clients: 32, Put: 0.4, Cas: 0.1, Strings: true})
	require.Equal(t, -1, feed(o, ops, happenings(ops)))
	require.Empty(t, o.Deferred())
	require.Equal(t, len(ops), o.Judged())
	require.Less(t, len(o.states), 10_000)
	require.Less(t, len(o.open), 10_000)
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
			o := NewOnline(0)
			require.Equal(t, -1, feed(o, ops, happenings(ops)))
			require.Equal(t, []string{"k"}, o.Deferred())
		})
	}
}
