// SPDX-License-Identifier: Apache-2.0

package draw

import (
	"cmp"
	"slices"
	"sort"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

const (
	// maxWhole is up to how many operations a history is drawn as it is. Of a
	// longer one at most maxDrawn operations are drawn, and at most maxAround
	// on both sides of each moment of the core, but minAround at least.
	maxWhole  = 40
	maxDrawn  = 64
	maxAround = 14
	minAround = 2
)

// window holds what is drawn of a history: runs of operations in order of call.
type window struct {
	ops  []history.Op // all, in order of call
	core []int        // places in ops
	runs []run        // in order, without overlap
}

// run is a part of a history without omissions.
type run struct {
	first, end int // places in window.ops, end excluded
	from, to   int64
}

// newWindow chooses what is drawn: everything, or what was called around the
// moments at which the core's operations were called and returned; without a
// core the first ones.
func newWindow(ops, core []history.Op) *window {
	w := &window{ops: slices.Clone(ops)}
	for i := range core {
		if !slices.ContainsFunc(ops, func(o history.Op) bool { return same(&o, &core[i]) }) {
			w.ops = append(w.ops, core[i])
		}
	}
	slices.SortStableFunc(w.ops, func(a, b history.Op) int { return cmp.Compare(a.Call, b.Call) })
	for i := range w.ops {
		if slices.ContainsFunc(core, func(c history.Op) bool { return same(&c, &w.ops[i]) }) {
			w.core = append(w.core, i)
		}
	}
	w.choose()
	for i := range w.runs {
		w.setTimes(&w.runs[i])
	}
	return w
}

func same(a, b *history.Op) bool {
	return a.Client == b.Client && a.Key == b.Key && a.Kind == b.Kind && a.Call == b.Call && a.Return == b.Return &&
		a.Outcome == b.Outcome && a.Value == b.Value && a.Observed == b.Observed && a.Expected == b.Expected
}

// choose takes as many operations around each moment as it may.
func (w *window) choose() {
	if len(w.ops) == 0 {
		return
	}
	if len(w.ops) <= maxWhole || len(w.core) == 0 {
		w.runs = []run{{first: 0, end: min(len(w.ops), maxDrawn)}}
		return
	}
	moments := w.moments()
	w.runs = w.around(moments, minAround)
	for n := minAround + 1; n <= maxAround; n++ {
		if wider := w.around(moments, n); count(wider) <= maxDrawn {
			w.runs = wider
		}
	}
}

// moments lists the operations at which something of the core begins or ends.
func (w *window) moments() []int {
	var all []int
	for _, i := range w.core {
		all = append(all, i)
		if w.ops[i].Outcome != history.Unknown {
			at := w.ops[i].Return
			all = append(all, sort.Search(len(w.ops), func(k int) bool { return w.ops[k].Call > at })-1)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// around returns the runs with n operations on both sides of each moment.
func (w *window) around(moments []int, n int) []run {
	var runs []run
	for _, m := range moments {
		r := run{first: max(0, m-n), end: min(len(w.ops), m+n+1)}
		if k := len(runs); k > 0 && r.first <= runs[k-1].end {
			runs[k-1].end = r.end
		} else {
			runs = append(runs, r)
		}
	}
	return runs
}

// setTimes sets from when to when a run is drawn: until all of it is over, but
// not beyond what was left out.
func (w *window) setTimes(r *run) {
	r.from = w.ops[r.first].Call
	r.to = r.from
	for _, op := range w.ops[r.first:r.end] {
		r.to = max(r.to, over(&op))
	}
	if r.end < len(w.ops) {
		r.to = min(r.to, w.ops[r.end].Call)
	}
}

// over is when an operation is over as far as that can be drawn.
func over(op *history.Op) int64 {
	if op.Outcome == history.Unknown {
		return op.Call
	}
	return op.Return
}

// count counts the operations in runs.
func count(runs []run) int {
	n := 0
	for _, r := range runs {
		n += r.end - r.first
	}
	return n
}

// isCore reports whether the operation at a place is to be marked, and by which
// number.
func (w *window) isCore(i int) (number int, is bool) {
	at, is := slices.BinarySearch(w.core, i)
	return at + 1, is
}
