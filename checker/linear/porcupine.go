// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"
	"hash/maphash"

	"github.com/anishathalye/porcupine"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// searchPorcupine lets porcupine decide on the operations of one part. It
// bounds porcupine from inside the model, by refusing every step once the
// budget is spent: porcupine then gives up on its own, and no goroutine is
// left behind. Refusals can only lose orders, so an OK stands in any case. The
// order that comes with it, if asked for, holds positions in ops.
func searchPorcupine(ctx context.Context, model Model, part string, ops []history.Op, memory int64, certify bool) (Verdict, []int) {
	if len(ops) == 0 {
		return OK, nil // porcupine hands out no order of nothing
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
		next, ok := model.Step(s, in.(*history.Op))
		if ok {
			if left--; left < 0 {
				spent = true
				return false, s
			}
		}
		return ok, next
	}
	pm := porcupine.Model{
		Init: func() any { return model.Init(part) },
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
			return OK, info.PartialLinearizations()[0][0]
		}
	} else if porcupine.CheckOperations(pm, pops) {
		return OK, nil
	}
	if spent {
		return Unknown, nil
	}
	return Violation, nil
}
