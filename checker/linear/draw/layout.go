// SPDX-License-Identifier: Apache-2.0

package draw

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"unicode"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/explain"
)

// Measures, in SVG units. Labels are in a font of fixed width, so that what
// has room is known here.
const (
	width     = 1080
	gutter    = 76 // left of the lanes, for what they are
	padding   = 8
	gapWide   = 46
	tickWide  = 70 // there is about one tick in so much
	charWide  = 6.7
	laneHigh  = 22
	faultHigh = 22
	axisHigh  = 24
	minBox    = 5  // of an operation that took no time
	openBox   = 16 // of one around the core whose outcome is unknown
	maxLabel  = 18 // characters of a value
	maxFaults = 24
)

// view is what the template shows.
type view struct {
	Page
	Width, Height    float64
	Bands            []bandView
	Kinds            []string // of the bands, for the legend
	HiddenBands      int
	Lead             string
	Rows             []row
	Words            []string // all that is drawn
	Boxes            []box
	Guides           []float64
	Axis             *axis
	AxisY, OpsY      float64
	Heads            []head
	Drawn, Total     int
	HasHosts         bool // hosts of the core are known
	HasOpen, HasFail bool // for the legend
}

// LeftOut counts the operations that are not drawn.
func (v *view) LeftOut() int { return v.Total - v.Drawn }

// Middle is the place half-way down the operations.
func (v *view) Middle() float64 { return (v.OpsY + v.Height) / 2 }

// head is the name of what is right of it.
type head struct {
	Y    float64
	Name string
}

// box is an operation.
type box struct {
	X, Y, W         float64
	Class           string
	Open            bool // it may take effect later, too
	Label           string
	LabelX          float64
	Tooltip, Number string
}

// Right is where it ends.
func (b box) Right() float64 { return b.X + b.W }

// bandView is a fault.
type bandView struct {
	X, W    float64
	Y       float64 // of its own line, above the operations
	Kind    string
	Label   string
	LabelX  float64
	Tooltip string
}

func newView(p Page) *view {
	w := newWindow(p.Ops, p.Core)
	v := &view{Page: p, Width: width, Drawn: count(w.runs), Total: len(w.ops)}
	if len(w.ops) == 0 {
		return v
	}
	v.Axis = newAxis(w, p.Bands, gutter+padding, width-padding-minBox)
	v.describe(w)
	y := v.layBands(padding)
	v.AxisY = y
	y += axisHigh
	v.OpsY = y
	y = v.layOps(w, "marked", y, func(i int) bool { _, core := w.isCore(i); return core })
	y = v.layOps(w, "around them", y+padding, func(i int) bool { _, core := w.isCore(i); return !core })
	for _, i := range w.core {
		v.guide(w.ops[i].Call)
		v.guide(over(&w.ops[i]))
	}
	v.Height = y + padding
	return v
}

// guide draws a line through everything at a moment of the core.
func (v *view) guide(t int64) {
	if x := v.Axis.at(t); !slices.Contains(v.Guides, x) {
		v.Guides = append(v.Guides, x)
	}
}

// lanes packs things that need room from a place to another one.
type lanes [][][2]float64

// put returns the number of the first lane with room.
func (l *lanes) put(from, to float64) int {
	free := func(lane [][2]float64) bool {
		return !slices.ContainsFunc(lane, func(taken [2]float64) bool { return from < taken[1] && taken[0] < to })
	}
	n := slices.IndexFunc(*l, free)
	if n < 0 {
		n = len(*l)
		*l = append(*l, nil)
	}
	(*l)[n] = append((*l)[n], [2]float64{from, to})
	return n
}

// layBands lays the faults that can be seen, from y on down, and returns where
// they end.
func (v *view) layBands(y float64) float64 {
	var seen []Band
	for _, b := range v.Page.Bands {
		if v.Axis.meets(b) {
			seen = append(seen, b)
		}
	}
	if len(seen) > maxFaults { // those that began last are the nearest
		slices.SortStableFunc(seen, func(a, b Band) int { return cmp.Compare(b.From, a.From) })
		v.HiddenBands = len(seen) - maxFaults
		seen = seen[:maxFaults]
	}
	slices.SortStableFunc(seen, func(a, b Band) int { return cmp.Compare(a.From, b.From) })
	var used lanes
	for _, b := range seen {
		x := v.Axis.at(b.From)
		d := bandView{X: x, W: max(2, v.Axis.at(b.To)-x), Kind: b.Kind, Label: v.bandLabel(b), Tooltip: v.bandTooltip(b)}
		d.LabelX = fit(x+3, textWide(d.Label))
		d.Y = y + faultHigh*float64(used.put(min(x, d.LabelX), max(x+d.W, d.LabelX+textWide(d.Label))+padding))
		v.Bands = append(v.Bands, d)
		if !slices.Contains(v.Kinds, b.Kind) {
			v.Kinds = append(v.Kinds, b.Kind)
		}
	}
	if len(seen) > 0 {
		v.Heads = append(v.Heads, head{y + 11, "faults"})
	}
	return y + faultHigh*float64(len(used))
}

// fit moves a label to the left if it would end beyond the drawing.
func fit(x, wide float64) float64 { return max(gutter, min(x, width-padding-wide)) }

// layOps lays the operations of which, in the first lanes with room for them
// and their labels, from y on down, and returns where they end.
func (v *view) layOps(w *window, name string, y float64, which func(i int) bool) float64 {
	var used lanes
	for n, r := range w.runs {
		left, right := v.Axis.between(n)
		for i := r.first; i < r.end; i++ {
			if !which(i) {
				continue
			}
			b, from, to := v.box(w, i, left, right)
			b.Y = y + laneHigh*float64(used.put(from, to+padding))
			v.Boxes = append(v.Boxes, b)
		}
	}
	if len(used) > 0 {
		v.Heads = append(v.Heads, head{y + 11, name})
	}
	return y + laneHigh*float64(len(used))
}

// box places an operation, but for its lane, and returns the room it needs. Its
// label keeps between left and right, if it has room there.
func (v *view) box(w *window, i int, left, right float64) (b box, from, to float64) {
	op := &w.ops[i]
	number, core := w.isCore(i)
	b = box{X: v.Axis.at(op.Call), Class: string(op.Outcome), Tooltip: explain.Describe(op), Label: label(op)}
	b.W = max(minBox, v.Axis.at(over(op))-b.X)
	if op.Outcome == history.Unknown {
		b.Open, v.HasOpen = true, true
		b.W = openBox
	}
	v.HasFail = v.HasFail || op.Outcome == history.Fail
	if core {
		b.Class += " core"
		b.Number = fmt.Sprint(number)
		b.Label = fmt.Sprintf("client %d: %s", op.Client, b.Label)
		if b.Open {
			b.W = width - padding - b.X
		}
	}
	wide := textWide(b.Label) + textWide(b.Number)
	if b.Number != "" {
		wide += padding
	}
	switch {
	case wide+6 <= b.W: // inside
		b.LabelX = b.X + 3
	case b.X+b.W+3+wide <= right: // right of it
		b.LabelX = b.X + b.W + 3
	case b.X-3-wide >= left: // left of it
		b.LabelX = b.X - 3 - wide
	default: // across it
		b.LabelX = fit(b.X, wide)
	}
	return b, min(b.X, b.LabelX), max(b.X+b.W, b.LabelX+wide)
}

// label describes an operation in a few characters.
func label(op *history.Op) string {
	s := ""
	switch {
	case op.Kind == history.Get && op.Outcome != history.OK:
		s = "get"
	case op.Kind == history.Get:
		s = "get " + short(op.Observed)
	case op.Kind == history.Cas:
		s = "cas " + short(op.Expected) + "→" + short(op.Value)
	case op.Kind == history.Delete:
		s = "delete"
	default:
		s = string(op.Kind) + " " + short(op.Value)
	}
	switch {
	case op.Outcome == history.Unknown:
		s += " ?"
	case op.Outcome == history.Fail && op.Observed.Stated():
		s = "✗ " + s + " saw " + short(op.Observed)
	case op.Outcome == history.Fail:
		s = "✗ " + s
	}
	return s
}

// short shows the two ends of a long value.
func short(v history.Value) string {
	r := []rune(v.String())
	if len(r) <= maxLabel {
		return string(r)
	}
	return string(r[:maxLabel/3]) + "…" + string(r[len(r)-maxLabel*2/3+1:])
}

// textWide is the room that a label takes.
func textWide(s string) float64 {
	n := 0
	for _, r := range s {
		if r < 0x2E80 || !unicode.IsPrint(r) {
			n++
		} else {
			n += 2 // wide scripts, symbols
		}
	}
	return math.Ceil(float64(n) * charWide)
}
