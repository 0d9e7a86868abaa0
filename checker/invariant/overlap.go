// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Overlapping counts the operations that succeeded, and those of them that
// overlap another such one on their key: of which an instant, ends not included,
// is also one of the other's. Without any, a history is sequential, and almost
// every order of its operations is forced.
func Overlapping(ops []history.Op) (overlapping, succeeded int) {
	byKey := map[string][]*history.Op{}
	for i := range ops {
		if op := &ops[i]; op.Outcome == history.OK {
			byKey[op.Key] = append(byKey[op.Key], op)
			succeeded++
		}
	}
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		overlapping += countOverlapping(byKey[key])
	}
	return overlapping, succeeded
}

// countOverlapping counts those of one key.
func countOverlapping(ops []*history.Op) int {
	slices.SortStableFunc(ops, func(a, b *history.Op) int { return cmp.Compare(a.Call, b.Call) })
	n, latest := 0, int64(0) // the latest end of those before
	for i, op := range ops {
		overlaps := i > 0 && op.Call < latest
		for k := i + 1; !overlaps && k < len(ops) && ops[k].Call < op.Return; k++ {
			overlaps = ops[k].Return > op.Call
		}
		if overlaps {
			n++
		}
		latest = max(latest, op.Return)
	}
	return n
}
