// SPDX-License-Identifier: Apache-2.0

package keylog

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
)

func build(t *testing.T, parts ...[]history.Op) *Log {
	t.Helper()
	var builders []*Builder
	for _, ops := range parts {
		b := NewBuilder(model.KV)
		for i := range ops {
			require.NoError(t, b.Add(&ops[i]))
		}
		builders = append(builders, b)
	}
	l, err := Join(builders...)
	require.NoError(t, err)
	return l
}

// Into how many parts a history falls makes no difference.
func TestPartsMakeTheSameLog(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		ops := generate.History(generate.Spec{
			Seed: seed, Ops: 1 + rng.IntN(900), Keys: 1 + rng.IntN(5), Clients: 1 + rng.IntN(8), Unknown: 0.1, Failed: 0.1,
			Put: 0.3, Cas: 0.2, Append: 0.1, Delete: 0.1, Blind: 0.2, Values: rng.IntN(20), Strings: rng.IntN(2) == 0, Named: rng.IntN(2) == 0,
		})
		whole := build(t, ops)
		var parts [][]history.Op
		for rest := ops; ; {
			n := rng.IntN(len(rest) + 1)
			parts = append(parts, rest[:n])
			if rest = rest[n:]; len(rest) == 0 {
				break
			}
		}
		require.Equal(t, whole, build(t, parts...), "seed %d", seed)
		require.Equal(t, len(ops), whole.Len())
	}
}

// An entry tells what the operation wrote and saw.
func TestEntriesHoldTheirOperations(t *testing.T) {
	values := []history.Value{
		history.Absent, history.String(""), history.String("true"), history.Bool(true), history.Int(1), history.String("1"),
		history.Int(-7), history.String(strings.Repeat("long", 1<<16)), history.Integer("123456789012345678901234567890"),
	}
	var ops []history.Op
	for i, v := range values {
		for j, w := range values {
			ops = append(ops, history.Op{Key: "k", Kind: history.Cas, Expected: v, Value: w, Call: int64(i), Return: int64(i + j), Outcome: history.OK})
		}
		ops = append(ops,
			history.Op{Key: "k", Kind: history.Get, Observed: v, Call: 1, Return: 2, Outcome: history.OK},
			history.Op{Key: "k", Kind: history.Append, Value: v, Call: 1, Outcome: history.Unknown})
	}
	l := build(t, ops)
	require.Len(t, l.Keys, 1)
	k := l.Keys[0]
	require.Equal(t, Initial+StateID(len(values)), k.States(), "equal values have one state")
	require.Equal(t, Appends, k.Features)
	require.Equal(t, len(values)*len(values), k.Writes)
	for i := range ops {
		require.Equal(t, ops[i], k.Op(i))
	}
}

func TestKeysComeByFirstAppearance(t *testing.T) {
	var ops []history.Op
	for i := range 100 {
		ops = append(ops, history.Op{Key: fmt.Sprint((i * 7) % 13), Kind: history.Delete, Call: int64(i), Return: int64(i), Outcome: history.OK})
	}
	l := build(t, ops[:3], ops[3:4], nil, ops[4:])
	var names []string
	for _, k := range l.Keys {
		names = append(names, k.Name)
		for i := range k.Entries {
			require.Equal(t, k.Name, ops[k.Entries[i].At].Key)
		}
	}
	require.Equal(t, []string{"0", "7", "1", "8", "2", "9", "3", "10", "4", "11", "5", "12", "6"}, names)
}

func TestWhatIsNoOperationIsRefused(t *testing.T) {
	ops := make([]history.Op, 50_000) // on several goroutines
	for i := range ops {
		ops[i] = history.Op{Key: "k", Kind: history.Delete, Outcome: history.OK}
	}
	ops[49_000].Kind = history.Add
	_, err := Of(model.KV, ops)
	require.ErrorContains(t, err, `operation 49000 (client 0, key "k"): a key-value store knows no "add"`)
	_, err = Of(model.Register, ops)
	require.ErrorContains(t, err, "operation 0 ")
}
