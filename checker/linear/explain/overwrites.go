// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"math"
	"slices"
	"sort"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// overwrites is all that happened to a key, by time of call. It knows which
// writes an operation can't have seen any more, so that a core of a long history in
// which values repeat need not hold every write of a value.
type overwrites struct {
	ops []history.Op
	// calls are those of the operations that certainly replaced the whole
	// state, in order; leastRet[i] is the least return of those from i on.
	calls, leastRet []int64
	byValue         map[history.Value][]int // writes, but for appends
	appends         []int
}

func newOverwrites(ops []history.Op) *overwrites {
	h := &overwrites{ops: byCall(ops), byValue: make(map[history.Value][]int)}
	for i := range h.ops {
		op := &h.ops[i]
		if !op.Kind.Mutates() || op.Outcome == history.Fail {
			continue
		}
		if op.Kind == history.Append {
			h.appends = append(h.appends, i)
			continue
		}
		h.byValue[written(op)] = append(h.byValue[written(op)], i)
		if op.Outcome == history.OK {
			h.calls, h.leastRet = append(h.calls, op.Call), append(h.leastRet, op.Return)
		}
	}
	for i := len(h.leastRet) - 2; i >= 0; i-- {
		h.leastRet[i] = min(h.leastRet[i], h.leastRet[i+1])
	}
	return h
}

// written returns what a write other than an append leaves.
func written(op *history.Op) history.Value {
	if op.Kind == history.Delete {
		return history.Absent
	}
	return op.Value
}

// overwritten reports whether what w left was certainly replaced before o was called.
func (h *overwrites) overwritten(w, o *history.Op) bool {
	i := sort.Search(len(h.calls), func(i int) bool { return h.calls[i] > w.End() })
	return i < len(h.calls) && h.leastRet[i] < o.Call
}

// mayDrop reports whether an operation can be left out of a set without making
// anything illegal that is legal: nothing else in the set depends on it, or
// what it wrote was overwritten by then. The latest write that something may seem to
// depend on stays: it shows what was replaced.
func (h *overwrites) mayDrop(set []history.Op, i int) bool {
	op := &set[i]
	if op.Kind == history.Get || op.Outcome == history.Fail {
		return true
	}
	for j := range set {
		o := &set[j]
		if j == i || !mayDependOn(o, op) {
			continue
		}
		later := func(w history.Op) bool { return w.Call > op.Call && w.Kind.Mutates() && mayDependOn(o, &w) }
		if !h.overwritten(op, o) || !slices.ContainsFunc(set, later) {
			return false
		}
	}
	return true
}

// shortest returns a part of the history that is illegal for a reason of the
// whole: the shortest run of operations, up to the last, that is illegal
// together with the writes that it may depend on, if one is found.
func (h *overwrites) shortest(illegal func([]history.Op) bool) []history.Op {
	for n := 8; n < len(h.ops)/2; n *= 2 {
		if set := h.closure(n); len(set) > len(h.ops)/2 {
			break
		} else if illegal(set) {
			return set
		}
	}
	return h.ops
}

// closure returns the last n operations with the writes that they, and those
// writes in turn, may depend on.
func (h *overwrites) closure(n int) []history.Op {
	in := make(map[int]bool)
	var list []int
	add := func(i int) {
		if !in[i] {
			in[i] = true
			list = append(list, i)
		}
	}
	for i := len(h.ops) - n; i < len(h.ops); i++ {
		add(i)
	}
	for at := 0; at < len(list); at++ {
		for _, w := range h.sources(list[at]) {
			add(w)
		}
	}
	slices.Sort(list)
	set := make([]history.Op, len(list))
	for i, n := range list {
		set[i] = h.ops[n]
	}
	return set
}

// sources returns the writes that an operation may depend on; if all were overwritten
// before it, the last of them.
func (h *overwrites) sources(i int) []int {
	o := &h.ops[i]
	var some []int
	latest, latestCall := -1, int64(math.MinInt64)
	for _, candidates := range h.candidates(o) {
		for _, w := range candidates {
			op := &h.ops[w]
			switch {
			case w == i || op.Call > o.End() || !mayDependOn(o, op):
			case !h.overwritten(op, o):
				some = append(some, w)
			case op.Call >= latestCall:
				latest, latestCall = w, op.Call
			}
		}
	}
	if len(some) == 0 && latest >= 0 {
		some = append(some, latest)
	}
	return some
}

// candidates returns lists that hold all writes that o may depend on.
func (h *overwrites) candidates(o *history.Op) [][]int {
	if o.Kind == history.Append || o.Refuted || o.ObservedWriter != "" {
		all := [][]int{h.appends}
		for _, writes := range h.byValue {
			all = append(all, writes)
		}
		return all
	}
	seen := o.Observed
	if o.Kind == history.Cas && o.Outcome != history.Fail {
		seen = o.Expected
	}
	return [][]int{h.byValue[seen], h.appends}
}
