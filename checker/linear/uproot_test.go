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
	again, err := Check(t.Context(), res.Core, Options{Engine: EnginePorcupine})
	require.NoError(t, err)
	require.NotEqual(t, Unknown, again.Verdict)
}
