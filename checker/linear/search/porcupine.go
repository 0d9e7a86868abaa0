// SPDX-License-Identifier: Apache-2.0

package search

import (
	"context"
	"hash/maphash"

	"github.com/anishathalye/porcupine"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// porcupineSearch lets porcupine decide on the operations of one part. It
// bounds porcupine from inside the model, by refusing every step once the
// budget is spent: porcupine then gives up on its own, and no goroutine is
// left behind. Refusals can only lose orders, so an OK stands in any case. The
// order that comes with it, if asked for, holds positions in ops.
func porcupineSearch(ctx context.Context, m model.Model, part string, ops []history.Op, memory int64, certify bool) (model.Verdict, []int) {
	if len(ops) == 0 {
		return model.OK, nil // porcupine hands out no order of nothing
	}
	seed := maphash.MakeSeed()
	// A cached state of porcupine costs a bit an operation, and about this
	// much for the map, the slices and the state itself.
	stateCost := int64(len(ops))/8 + 200
	left := memory/stateCost + 1
	spent := false
	var n int64
	step := func(s, in, _ any) (bool, any) {
		if n++; spent || n&255 == 0 && ctx.Err() != nil {
			spent = true
			return false, s
		}
		next, ok := m.Step(s, in.(*history.Op))
		if ok {
			if left--; left < 0 {
				spent = true
				return false, s
			}
		}
		return ok, next
	}
	pm := porcupine.Model{
		Init: func() any { return m.Init(part) },
		Step: step,
		Hash: func(s any) uint64 { return maphash.Comparable(seed, s) },
	}
	pops := make([]porcupine.Operation, len(ops))
	for i := range ops {
		pops[i] = porcupine.Operation{Input: &ops[i], Call: ops[i].Call, Return: ops[i].End()}
	}
	if certify {
		res, info := porcupine.CheckOperationsVerbose(pm, pops, 0)
		if res == porcupine.Ok {
			return model.OK, info.PartialLinearizations()[0][0]
		}
	} else if porcupine.CheckOperations(pm, pops) {
		return model.OK, nil
	}
	if spent {
		return model.Unknown, nil
	}
	return model.Violation, nil
}
