// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"math/rand/v2"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Damage changes a few things in a history at random: what was observed, when
// something happened, how it ended. The result may or may not be
// linearizable; it is a history all the same.
func Damage(rng *rand.Rand, ops []history.Op) {
	for range 1 + rng.IntN(3) {
		op, other := &ops[rng.IntN(len(ops))], &ops[rng.IntN(len(ops))]
		switch rng.IntN(6) {
		case 0, 1:
			damageAnswer(rng, op, other)
		case 2:
			op.Call -= int64(rng.IntN(6))
		case 3:
			op.Call = min(op.Call+int64(rng.IntN(6)), op.End())
		case 4:
			if op.Outcome != history.Unknown {
				op.Return += int64(rng.IntN(12))
			}
		case 5:
			if op.Outcome != history.Unknown {
				op.Return = max(op.Call, op.Return-int64(rng.IntN(6)))
			}
		}
	}
}

func damageAnswer(rng *rand.Rand, op, other *history.Op) {
	seen := [...]history.Value{history.Absent, other.Value, other.Observed, other.Expected}[rng.IntN(4)]
	if !seen.Stated() {
		return
	}
	switch {
	case op.Kind == history.Get && op.Outcome == history.OK:
		op.Observed, op.ObservedWriter = seen, other.Writer
	case op.Kind == history.Cas && op.Outcome == history.Fail && op.Observed.Stated():
		op.Observed, op.ObservedWriter = seen, other.Writer
	case op.Kind == history.Cas && op.Outcome == history.Fail && op.Refuted:
		op.Expected = seen
	case op.Kind == history.Cas && op.Outcome == history.OK:
		op.Expected = seen
	}
}
