// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"flag"
	"fmt"
	"github.com/stretchr/testify/require"
	"testing"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
)

var plantedOps = flag.Int("planted.ops", 100_000, "size of the greatest history in which violations are planted")

// Violations are found in histories of any size, and only where they are.
func TestPlantedViolationsAreFound(t *testing.T) {
	for _, size := range []int{1_000, 100_000, 1_000_000} {
		if size > *plantedOps {
			t.Logf("%d operations: left out, see -planted.ops", size)
			continue
		}
		t.Run(fmt.Sprint(size), func(t *testing.T) { plantInto(t, size) })
	}
}

func plantInto(t *testing.T, size int) {
	ops := generate.History(generate.Spec{Seed: uint64(size), Ops: size, Keys: 100, Clients: 32, Put: 0.3, Cas: 0.2, Unknown: 0.01, Failed: 0.01})
	end := int64(0)
	for i := range ops {
		if ops[i].Outcome != history.Unknown {
			end = max(end, ops[i].Return)
		}
	}
	for _, plant := range generate.Plants {
		for _, named := range []bool{false, true} {
			planted := generate.Planted(plant, "planted", end+100, named)
			with := append(ops[:len(ops):len(ops)], planted...)
			res, err := Check(t.Context(), with[:len(with)-1], Options{})
			require.NoError(t, err)
			require.Equal(t, OK, res.Verdict, plant)
			res, err = Check(t.Context(), with, Options{})
			require.NoError(t, err)
			require.Equal(t, Violation, res.Verdict, plant)
			require.LessOrEqual(t, len(res.Core), 4, plant)
			require.Contains(t, res.Core, planted[len(planted)-1], "%s: %s", plant, res.Explanation)
		}
	}
}
