// SPDX-License-Identifier: Apache-2.0

// Package draw draws operations along time: one lane a client, the operations
// that can't be ordered marked, faults as bands behind them. The page needs
// nothing from elsewhere. It judges nothing.
package draw

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
)

// Band is a fault: a span of time with a name, on the clock of the history.
type Band struct {
	From, To int64
	Name     string
}

// Page is what to draw.
type Page struct {
	Title, Explanation string
	// Ops are the operations of one key. Of many, those nearest to the core
	// are drawn.
	Ops []history.Op
	// Core holds the operations to mark.
	Core  []history.Op
	Bands []Band
}

const (
	maxDrawn  = 400
	width     = 1400
	laneHigh  = 26
	labelWide = 90
	topHigh   = 30
)

type box struct {
	X, Y, W, H  float64
	Class       string
	Label, Tale string
}

type lane struct {
	Y    float64
	Name string
}

type tick struct {
	X    float64
	Name string
}

type view struct {
	Page
	Width, Height float64
	Left          float64
	Boxes         []box
	Bands         []box
	Lanes         []lane
	Ticks         []tick
	Told          []string
	Drawn, Total  int
}

// HTML writes the page.
func HTML(w io.Writer, p Page) error {
	ops := near(p.Ops, p.Core)
	from, to := span(ops)
	x := func(t int64) float64 {
		t = min(max(t, from), to)
		return labelWide + float64(t-from)/float64(max(1, to-from))*(width-labelWide-20)
	}
	v := view{Page: p, Width: width, Left: labelWide, Drawn: len(ops), Total: len(p.Ops)}
	lanes := v.layLanes(ops, p.Core, x)
	v.Height = topHigh + float64(lanes)*laneHigh + 10
	for _, b := range p.Bands {
		if b.To >= from && b.From <= to {
			v.Bands = append(v.Bands, box{X: x(b.From), Y: 0, W: max(1, x(b.To)-x(b.From)), H: v.Height, Label: b.Name,
				Tale: fmt.Sprintf("%s, from %s to %s", b.Name, linear.Moment(b.From), linear.Moment(b.To))})
		}
	}
	for i := range 6 {
		t := from + int64(float64(to-from)*float64(i)/5)
		v.Ticks = append(v.Ticks, tick{X: x(t), Name: linear.Moment(t)})
	}
	for i := range p.Core {
		v.Told = append(v.Told, linear.Describe(&p.Core[i]))
	}
	return page.Execute(w, v)
}

// near keeps the operations around the core if there are too many.
func near(ops, core []history.Op) []history.Op {
	ops = slices.Clone(ops)
	if len(ops) > maxDrawn {
		from, to := int64(0), int64(0)
		if len(core) > 0 {
			from, to = span(core)
		} else {
			from = ops[0].Call
			to = from
		}
		away := func(o *history.Op) int64 {
			end := o.End()
			if o.Outcome == history.Unknown {
				end = o.Call
			}
			return max(0, from-end, o.Call-to)
		}
		slices.SortStableFunc(ops, func(a, b history.Op) int { return cmp.Compare(away(&a), away(&b)) })
		ops = ops[:maxDrawn]
		for i := range core {
			if !slices.ContainsFunc(ops, func(o history.Op) bool { return same(&o, &core[i]) }) {
				ops = append(ops, core[i])
			}
		}
	}
	slices.SortStableFunc(ops, func(a, b history.Op) int { return cmp.Compare(a.Call, b.Call) })
	return ops
}

func same(a, b *history.Op) bool {
	return a.Client == b.Client && a.Key == b.Key && a.Kind == b.Kind && a.Call == b.Call && a.Return == b.Return &&
		a.Outcome == b.Outcome && a.Value == b.Value && a.Observed == b.Observed && a.Expected == b.Expected
}

func span(ops []history.Op) (from, to int64) {
	for i := range ops {
		end := ops[i].End()
		if end == history.Never {
			end = ops[i].Call
		}
		if i == 0 {
			from, to = ops[i].Call, end
		}
		from, to = min(from, ops[i].Call), max(to, end)
	}
	return from, to
}

// layLanes places every operation in a lane: clients that follow each other
// share one. It returns the number of lanes.
func (v *view) layLanes(ops, core []history.Op, x func(int64) float64) int {
	type busy struct {
		client int64
		until  float64
	}
	var lanes []busy
	for i := range ops {
		op := &ops[i]
		from, to := x(op.Call), x(op.End())
		to = max(to, from+3)
		n := slices.IndexFunc(lanes, func(b busy) bool { return b.client == op.Client && b.until <= from })
		if n < 0 {
			n = len(lanes)
			lanes = append(lanes, busy{client: op.Client})
			v.Lanes = append(v.Lanes, lane{Y: topHigh + float64(n)*laneHigh, Name: fmt.Sprintf("client %d", op.Client)})
		}
		lanes[n].until = to
		b := box{X: from, Y: topHigh + float64(n)*laneHigh + 3, W: to - from, H: laneHigh - 6, Class: string(op.Outcome), Tale: linear.Describe(op), Label: label(op)}
		if slices.ContainsFunc(core, func(c history.Op) bool { return same(&c, op) }) {
			b.Class += " core"
		}
		v.Boxes = append(v.Boxes, b)
	}
	return len(lanes)
}

func label(op *history.Op) string {
	switch op.Kind {
	case history.Get:
		return op.Observed.String()
	case history.Cas:
		return op.Expected.String() + "→" + op.Value.String()
	case history.Append:
		return "+" + op.Value.String()
	case history.Delete:
		return "delete"
	}
	return "=" + op.Value.String()
}

var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Title}}</title>
<style>
body{font:14px system-ui,sans-serif;margin:24px;color:#222;background:#fff}
h1{font-size:18px}
svg text{font:11px system-ui,sans-serif}
.op rect{fill:#cfe3f7;stroke:#4a7fb5}
.op.unknown rect{fill:#eee;stroke:#999;stroke-dasharray:4 2}
.op.fail rect{fill:#f3ead8;stroke:#b59a5a}
.op.core rect{fill:#f9c5c0;stroke:#b3261e;stroke-width:2}
.band rect{fill:#f5b942;fill-opacity:.18}
.lane{stroke:#eee}
li{font-family:ui-monospace,monospace;margin:3px 0}
</style></head><body>
<h1>{{.Title}}</h1>
{{if .Explanation}}<p>{{.Explanation}}</p>{{end}}
{{if .Told}}<ol>{{range .Told}}<li>{{.}}</li>{{end}}</ol>{{end}}
<p>{{.Drawn}} of {{.Total}} operations; dashed: outcome unknown; red: these can't be put in any order. Point at an operation to read it.</p>
<svg xmlns="http://www.w3.org/2000/svg" width="{{.Width}}" height="{{.Height}}" role="img" aria-label="operations along time">
{{range .Bands}}<g class="band"><title>{{.Tale}}</title><rect x="{{.X}}" y="{{.Y}}" width="{{.W}}" height="{{.H}}"/><text x="{{.X}}" y="24">{{.Label}}</text></g>
{{end}}{{range .Ticks}}<text x="{{.X}}" y="11" text-anchor="middle">{{.Name}}</text>
{{end}}{{$w := .Width}}{{range .Lanes}}<line class="lane" x1="0" x2="{{$w}}" y1="{{.Y}}" y2="{{.Y}}"/><text x="0" y="{{.Y}}" dy="17">{{.Name}}</text>
{{end}}{{range .Boxes}}<g class="op {{.Class}}"><title>{{.Tale}}</title><rect x="{{.X}}" y="{{.Y}}" width="{{.W}}" height="{{.H}}" rx="2"/><svg x="{{.X}}" y="{{.Y}}" width="{{.W}}" height="{{.H}}"><text x="3" y="14">{{.Label}}</text></svg></g>
{{end}}</svg></body></html>
`))
