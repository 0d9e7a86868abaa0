// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"math"
	"slices"
	"sort"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// past is all that happened to a key, by time of call. It knows which writes
// an operation can't have seen any more, so that a core of a long history in
// which values repeat need not hold every write of a value.
type past struct {
	ops []history.Op
	// calls are those of the operations that certainly replaced the whole
	// state, in order; leastRet[i] is the least return of those from i on.
	calls, leastRet []int64
	byValue         map[history.Value][]int // writes, but for appends
	appends         []int
}

func newPast(ops []history.Op) *past {
	p := &past{ops: byCall(ops), byValue: make(map[history.Value][]int)}
	for i := range p.ops {
		op := &p.ops[i]
		if !op.Kind.Mutates() || op.Outcome == history.Fail {
			continue
		}
		if op.Kind == history.Append {
			p.appends = append(p.appends, i)
			continue
		}
		p.byValue[written(op)] = append(p.byValue[written(op)], i)
		if op.Outcome == history.OK {
			p.calls, p.leastRet = append(p.calls, op.Call), append(p.leastRet, op.Return)
		}
	}
	for i := len(p.leastRet) - 2; i >= 0; i-- {
		p.leastRet[i] = min(p.leastRet[i], p.leastRet[i+1])
	}
	return p
}

// written returns what a write other than an append leaves.
func written(op *history.Op) history.Value {
	if op.Kind == history.Delete {
		return history.Absent
	}
	return op.Value
}

// gone says whether what w left was certainly replaced before o was called.
func (p *past) gone(w, o *history.Op) bool {
	i := sort.Search(len(p.calls), func(i int) bool { return p.calls[i] > w.End() })
	return i < len(p.calls) && p.leastRet[i] < o.Call
}

// mayDrop says whether an operation can be left out of a set without making
// anything illegal that is legal: nothing else in the set depends on it, or
// what it wrote was gone by then. The latest write that something may seem to
// depend on stays: it shows what was replaced.
func (p *past) mayDrop(set []history.Op, i int) bool {
	op := &set[i]
	if op.Kind == history.Get || op.Outcome == history.Fail {
		return true
	}
	for j := range set {
		o := &set[j]
		if j == i || !dependsKV(o, op) {
			continue
		}
		later := func(w history.Op) bool { return w.Call > op.Call && w.Kind.Mutates() && dependsKV(o, &w) }
		if !p.gone(op, o) || !slices.ContainsFunc(set, later) {
			return false
		}
	}
	return true
}

// suspects returns a part of the past that is illegal for a reason of the
// whole: the shortest run of operations, up to the last, that is illegal
// together with the writes that it may depend on, if one is found.
func (p *past) suspects(illegal func([]history.Op) bool) []history.Op {
	for n := 8; n < len(p.ops)/2; n *= 2 {
		if set := p.closure(n); len(set) > len(p.ops)/2 {
			break
		} else if illegal(set) {
			return set
		}
	}
	return p.ops
}

// closure returns the last n operations with the writes that they, and those
// writes in turn, may depend on.
func (p *past) closure(n int) []history.Op {
	in := make(map[int]bool)
	var list []int
	add := func(i int) {
		if !in[i] {
			in[i] = true
			list = append(list, i)
		}
	}
	for i := len(p.ops) - n; i < len(p.ops); i++ {
		add(i)
	}
	for at := 0; at < len(list); at++ {
		for _, w := range p.sources(list[at]) {
			add(w)
		}
	}
	slices.Sort(list)
	set := make([]history.Op, len(list))
	for i, n := range list {
		set[i] = p.ops[n]
	}
	return set
}

// sources returns the writes that an operation may depend on; if all were gone
// before it, the last of them.
func (p *past) sources(i int) []int {
	o := &p.ops[i]
	var some []int
	latest, latestCall := -1, int64(math.MinInt64)
	for _, candidates := range p.candidates(o) {
		for _, w := range candidates {
			op := &p.ops[w]
			switch {
			case w == i || op.Call > o.End() || !dependsKV(o, op):
			case !p.gone(op, o):
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
func (p *past) candidates(o *history.Op) [][]int {
	if o.Kind == history.Append || o.Refuted || o.ObservedWriter != "" {
		all := [][]int{p.appends}
		for _, writes := range p.byValue {
			all = append(all, writes)
		}
		return all
	}
	seen := o.Observed
	if o.Kind == history.Cas && o.Outcome != history.Fail {
		seen = o.Expected
	}
	return [][]int{p.byValue[seen], p.appends}
}
