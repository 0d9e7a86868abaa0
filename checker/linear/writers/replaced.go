// SPDX-License-Identifier: Apache-2.0

package writers

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// replacements knows the writes that certainly took effect, by time of call.
type replacements struct {
	*writes
	byCall []int32
	// soonest is, by position in byCall, the one that returns first from there
	// on.
	soonest []int32
}

func newReplacements(n *writes) *replacements {
	p := &replacements{writes: n}
	for w := initial + 1; int(w) < len(n.at); w++ {
		if n.op(w).Outcome == history.OK {
			p.byCall = append(p.byCall, w)
		}
	}
	slices.SortStableFunc(p.byCall, func(a, b int32) int { return cmp.Compare(n.op(a).Call, n.op(b).Call) })
	p.soonest = slices.Clone(p.byCall)
	for i := len(p.soonest) - 2; i >= 0; i-- {
		if n.op(p.soonest[i+1]).Return < n.op(p.soonest[i]).Return {
			p.soonest[i] = p.soonest[i+1]
		}
	}
	return p
}

// between returns a write that was called after w had returned, and returned
// before operation i was called: i can't have seen w. It returns none if there
// is no such write.
func (p *replacements) between(w int32, i int) int32 {
	end := int64(math.MinInt64)
	if w != initial {
		end = p.op(w).End()
	}
	at := sort.Search(len(p.byCall), func(n int) bool { return p.op(p.byCall[n]).Call > end })
	if at < len(p.byCall) && p.op(p.soonest[at]).Return < p.ops[i].Call {
		return p.soonest[at]
	}
	return none
}
