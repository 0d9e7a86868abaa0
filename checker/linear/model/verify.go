// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"math"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Verify replays an order of the operations of one part: positions in ops. It
// shares nothing with the engines that find orders. It returns nil if the
// order shows that the part is linearizable:
//   - it holds every operation that took effect or gave an answer, once, and
//     of those of unknown outcome any, at most once;
//   - no operation stands before one that returned before it was called;
//   - done in this order, the operations give the answers that are recorded.
func Verify(m Model, part string, ops []history.Op, order []int) error {
	in := make([]bool, len(ops))
	state := m.Init(part)
	latest := int64(math.MinInt64)
	for n, i := range order {
		if i < 0 || i >= len(ops) || in[i] {
			return fmt.Errorf("place %d: operation %d is not there, or stands twice", n, i)
		}
		in[i] = true
		op := &ops[i]
		if op.End() < latest {
			return fmt.Errorf("place %d: operation %d returned before one in front of it was called", n, i)
		}
		latest = max(latest, op.Call)
		next, ok := m.Step(state, op)
		if !ok || m.Part(op) != part {
			return fmt.Errorf("place %d: operation %d does not give its answer in state %v", n, i, state)
		}
		state = next
	}
	for i := range ops {
		op := &ops[i]
		if !in[i] && op.Kind != history.Stale && m.Part(op) == part && m.Constrains(op) && op.Outcome != history.Unknown {
			return fmt.Errorf("operation %d is missing", i)
		}
	}
	return nil
}
