// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"cmp"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Event is a moment of a history at which an operation begins or ends.
type Event struct {
	Time int64
	End  bool
	// N is the operation's position in the history, Op the operation.
	N  int
	Op *history.Op
}

// Events returns the events of a history in the order of time; of those at the
// same moment, the beginnings come first. Whoever did an operation of unknown
// outcome gives it up soon after its call.
func Events(ops []history.Op) []Event {
	events := make([]Event, 0, 2*len(ops))
	for i := range ops {
		op := &ops[i]
		end := op.Return
		if op.Outcome == history.Unknown {
			end = op.Call + 3
		}
		events = append(events, Event{op.Call, false, i, op}, Event{end, true, i, op})
	}
	slices.SortStableFunc(events, func(a, b Event) int {
		if a.Time == b.Time && a.End != b.End {
			if a.End {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.Time, b.Time)
	})
	return events
}
