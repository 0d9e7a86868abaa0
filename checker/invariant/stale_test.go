// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

func TestStaleReads(t *testing.T) {
	write := history.Op{Kind: history.Put, Key: "1/k", Cluster: 1, Writer: "w", Value: history.String("w"), Call: 10, Return: 20, Outcome: history.OK, ObservedWriter: history.InitialWriter}
	read := func(writer string, applied uint64, call, ret int64) history.Op {
		return history.Op{Kind: history.Stale, Key: "1/k", Cluster: 1, Observed: history.Absent, ObservedWriter: writer, Call: call, Return: ret, Outcome: history.OK,
			By: &history.Replica{Host: "nodehost-1:2", Node: 2, Applied: applied}}
	}
	restart := []Start{{Host: "nodehost-1", From: 35, To: 36}}
	for name, c := range map[string]struct {
		ops    []history.Op
		starts []Start
		want   string // of a violation; empty: there is none
	}{
		"forward":                      {ops: []history.Op{write, read("initial", 3, 5, 6), read("w", 4, 30, 31), read("w", 4, 32, 33)}},
		"behind a write that is there": {ops: []history.Op{write, read("initial", 3, 30, 31)}},
		"of the future":                {ops: []history.Op{write, read("w", 4, 5, 6)}, want: "which was called at"},
		"of nobody":                    {ops: []history.Op{write, read("x", 4, 30, 31)}, want: "which nobody made"},
		"backward":                     {ops: []history.Op{write, read("w", 4, 30, 31), read("initial", 3, 40, 41)}, want: "node 2 on nodehost-1 answered stale at applied index 4"},
		"backward at one time":         {ops: []history.Op{write, read("w", 4, 30, 41), read("initial", 3, 40, 45)}},
		"backward after a restart":     {ops: []history.Op{write, read("w", 4, 30, 31), read("initial", 3, 40, 41)}, starts: restart},
		"backward of another host's": {ops: []history.Op{write, read("w", 4, 30, 31), read("initial", 3, 40, 41)},
			starts: []Start{{Host: "nodehost-2", From: 35, To: 36}, {Cluster: 2, From: 35, To: 36}}, want: "which was called later"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &Facts{Ops: c.ops, Starts: c.starts, StaleReads: true}
			var found *Finding
			for _, x := range Judge(context.Background(), f, func(k Check) (any, bool) { return &staleSettings{}, k.Key == "stale" }) {
				if x.Check == "stale" {
					found = &x
				}
			}
			require.NotNil(t, found)
			if c.want == "" {
				require.Equal(t, Pass, found.Verdict, found.Detail)
				return
			}
			require.Equal(t, Violation, found.Verdict)
			require.Contains(t, found.Detail, c.want)
		})
	}
}
