// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/generate"
)

var plantedOps = flag.Int("planted.ops", 100_000, "size of the greatest history in which violations are planted")

// Violations are found in histories of any size, and only where they are.
func TestPlantedViolationsAreFound(t *testing.T) {
	for _, size := range []int{1_000, 100_000, 10_000_000} {
		if size > *plantedOps {
			t.Logf("%d operations: left out, see -planted.ops", size)
			continue
		}
		t.Run(fmt.Sprint(size), func(t *testing.T) { plantInto(t, size) })
	}
}

func plantInto(t *testing.T, size int) {
	l, end := NewLog(), int64(0)
	generate.Each(generate.Spec{Seed: uint64(size), Ops: size, Keys: 100, Clients: 32, Put: 0.3, Cas: 0.2, Unknown: 0.01, Failed: 0.01}, func(op history.Op) {
		if op.Outcome != history.Unknown {
			end = max(end, op.Return)
		}
		require.NoError(t, l.Add(&op))
	})
	n := l.Len()
	for _, plant := range generate.Plants {
		for _, named := range []bool{false, true} {
			planted := generate.Planted(plant, fmt.Sprint(plant, named), end+100, named)
			check := func(ops []history.Op) Result {
				for i := range ops {
					require.NoError(t, l.Add(&ops[i]))
				}
				// Only the planted key has anything to explain.
				fetch := func(i int) history.Op { return ops[i-n] }
				defer l.forgetKey(planted[0].Key)
				return CheckLog(t.Context(), l, fetch, Options{Timeout: time.Minute})
			}
			require.Equal(t, OK, check(planted[:len(planted)-1]).Verdict, plant)
			res := check(planted)
			require.Equal(t, Violation, res.Verdict, plant)
			require.LessOrEqual(t, len(res.Core), 4, plant)
			require.Contains(t, res.Core, planted[len(planted)-1], "%s: %s", plant, res.Explanation)
		}
	}
}

// forgetKey takes the operations of the last key out again.
func (l *Log) forgetKey(name string) {
	k := l.byName[name]
	l.len -= k.len
	k.chunks, k.len, k.writes, k.said, k.outside = nil, 0, 0, 0, 0
}

func TestOnlineFindsPlantedViolationsAtTheCulprit(t *testing.T) {
	for _, plant := range generate.Plants {
		for _, named := range []bool{false, true} {
			if plant == generate.Resurrected && !named {
				continue // deletes without names are deferred
			}
			o := NewOnline(0)
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
