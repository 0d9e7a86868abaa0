// SPDX-License-Identifier: Apache-2.0

package draw

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/explain"
)

// row is an operation of the core, described.
type row struct {
	Number   int
	Client   int64
	Action   string
	Where    string // the replica that answered, or else the host that was asked
	Outcome  history.Outcome
	Called   string
	Returned string
	Faults   string // what was at work then
}

// lately is how long after its end, in nanoseconds, a fault is worth mentioning.
const lately = 60e9

// describe puts the drawing into words.
func (v *view) describe(w *window) {
	last := -1 // the operation that completed the violation
	for n, i := range w.core {
		op := &w.ops[i]
		r := row{Number: n + 1, Client: op.Client, Action: explain.Action(op), Where: cmp.Or(explain.Replica(op), op.Host), Outcome: op.Outcome,
			Called: explain.FormatTime(op.Call), Faults: v.faults(op)}
		if op.Outcome != history.Unknown {
			r.Returned = explain.FormatTime(op.Return)
		}
		v.Rows = append(v.Rows, r)
		v.HasHosts = v.HasHosts || r.Where != ""
		if last < 0 || over(op) >= over(&w.ops[w.core[last]]) {
			last = n
		}
	}
	if last >= 0 && len(v.Page.Bands) > 0 {
		v.Lead = fmt.Sprintf("Operation %d, the last of these, came %s.", last+1, v.faults(&w.ops[w.core[last]]))
	}
	for _, r := range w.runs {
		for _, op := range w.ops[r.first:r.end] {
			v.Words = append(v.Words, explain.Describe(&op))
		}
	}
}

// faults says which faults an operation came in, and how long after their
// beginning, and which had ended since then.
func (v *view) faults(op *history.Op) string {
	var in []string
	bands := slices.SortedStableFunc(slices.Values(v.Page.Bands), func(a, b Band) int { return cmp.Compare(a.From, b.From) })
	ended, began := -1, int64(math.MinInt64)
	for i, b := range bands {
		switch {
		case b.From <= op.Call && op.Call <= b.To:
			began = b.From
			in = append(in, fmt.Sprintf("%s into the %s", v.Axis.length(b.From, op.Call), b.Name))
		case op.Call < b.From && b.From <= over(op):
			in = append(in, fmt.Sprintf("%s before the %s began", v.Axis.length(op.Call, b.From), b.Name))
		case b.To < op.Call && (ended < 0 || b.To > bands[ended].To):
			ended = i
		}
	}
	if ended >= 0 && bands[ended].To >= began && apart(bands[ended].To, op.Call) < lately {
		in = append(in, fmt.Sprintf("%s after the end of the %s", v.Axis.length(bands[ended].To, op.Call), bands[ended].Name))
	}
	if len(in) == 0 {
		return "while no fault was at work"
	}
	return strings.Join(in, ", ")
}

func (v *view) bandLabel(b Band) string {
	step := int64(1e8) // a tenth of a second
	if !v.Axis.ns {
		step = 1
	}
	if b.To == history.Never {
		return fmt.Sprintf("%s, from %s on", b.Name, v.Axis.tickName(b.From, step))
	}
	return fmt.Sprintf("%s, %s to %s", b.Name, v.Axis.tickName(b.From, step), v.Axis.tickName(b.To, step))
}

func (v *view) bandTooltip(b Band) string {
	if b.To == history.Never {
		return fmt.Sprintf("%s, from %s on, permanently", b.Name, explain.FormatTime(b.From))
	}
	return fmt.Sprintf("%s, from %s to %s (%s)", b.Name, explain.FormatTime(b.From), explain.FormatTime(b.To), v.Axis.length(b.From, b.To))
}
