// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// chain is a history of n writes of one client, each naming the one that it
// replaced.
func chain(n int) []history.Op {
	var ops []history.Op
	before := history.InitialWriter
	for i := range n {
		name := fmt.Sprintf("w%d", i)
		kind := history.Put
		if i%3 == 1 {
			kind = history.Append
		}
		ops = append(ops, history.Op{Client: 1, Key: "k", Kind: kind, Value: history.String(name), Writer: name, ObservedWriter: before,
			Call: int64(10 * i), Return: int64(10*i + 5), Outcome: history.OK})
		before = name
	}
	return ops
}

func TestTheCoreOfALostUpdateIsNotTheWholeHistory(t *testing.T) {
	ops := chain(100)
	lost := ops[99] // a put that replaces what ops[98] wrote
	lost.Client, lost.Writer, lost.Value, lost.Call, lost.Return = 2, "lost", history.String("lost"), 2000, 2005
	res, err := Check(t.Context(), append(ops, lost), Options{})
	require.NoError(t, err)
	require.Equal(t, Violation, res.Verdict)
	require.LessOrEqual(t, len(res.Core), 4, "%+v", res.Core)
	require.Contains(t, res.Explanation, "both replaced what client 1 had left there")
	again, err := Check(t.Context(), res.Core, Options{Engine: Porcupine})
	require.NoError(t, err)
	require.NotEqual(t, Unknown, again.Verdict)
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
