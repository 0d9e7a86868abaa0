// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
)

// The measures of the plot, in SVG units.
const (
	labelWidth = 110
	plotWidth  = 960
	rateHeight = 90
	laneHeight = 18
	axisHeight = 22
)

// plot is a drawing of a run: completed operations over time, and below
// them a lane a host with the faults that struck it.
type plot struct {
	Width, Height int
	RateBase      int // y of no operations at all
	RateMax       int // operations a second at the top
	OK, Bad       string
	Lanes         []lane
	Ticks         []tick
	AxisY         int
	Kinds         []string // of the bands, as classes
	Marks         []moment // violations
}

type lane struct {
	Y     int
	Host  string
	Bands []band
}

type band struct {
	X, W        float64
	Class, Text string
}

// moment is when a violation was complete.
type moment struct {
	X    float64
	Text string
}

type tick struct {
	X     float64
	Label string
}

// endOf is when a run ended.
func endOf(r *judge.Result, happened *timeline.Timeline) time.Duration {
	return max(time.Duration(r.VirtualSeconds*float64(time.Second)), happened.End, time.Second)
}

func drawPlot(r *judge.Result, end time.Duration, faults []timeline.Injection, ops []history.Op) plot {
	t := plot{Width: labelWidth + plotWidth + 10, RateBase: rateHeight}
	x := func(at time.Duration) float64 { return labelWidth + plotWidth*float64(at)/float64(end) }
	t.drawRate(ops, end)
	t.Lanes = lanes(faults, x)
	for _, c := range r.Checks {
		if n := len(c.Operations); n > 0 {
			t.Marks = append(t.Marks, moment{x(lastOf(c.Operations)), "violation on " + c.Key})
		}
	}
	for _, i := range faults {
		if !slices.Contains(t.Kinds, class(i)) {
			t.Kinds = append(t.Kinds, class(i))
		}
	}
	slices.Sort(t.Kinds)
	for i := range t.Lanes {
		t.Lanes[i].Y = rateHeight + 10 + i*laneHeight
	}
	t.AxisY = rateHeight + 10 + len(t.Lanes)*laneHeight
	t.Height = t.AxisY + axisHeight
	step := niceStep(end)
	for at := time.Duration(0); at <= end; at += step {
		t.Ticks = append(t.Ticks, tick{x(at), strings.TrimSuffix(clock(at), ".000")})
	}
	return t
}

// drawRate makes two lines of operations a second, by when they ended (or, of
// unknown outcome, began).
func (t *plot) drawRate(ops []history.Op, end time.Duration) {
	const buckets = 240
	ok, bad := make([]float64, buckets), make([]float64, buckets)
	for i := range ops {
		at, line := ops[i].Call, bad
		if ops[i].Outcome == history.OK {
			at, line = ops[i].Return, ok
		}
		if b := int(float64(at) / float64(end) * buckets); b >= 0 && b < buckets {
			line[b]++
		}
	}
	width := end.Seconds() / buckets
	top := max(slices.Max(ok), slices.Max(bad), 1)
	t.RateMax = int(top/width + 0.5)
	draw := func(line []float64) string {
		var s strings.Builder
		for i, n := range line {
			fmt.Fprintf(&s, "%.1f,%.1f ", labelWidth+plotWidth*(float64(i)+0.5)/buckets, rateHeight-(rateHeight-14)*n/top)
		}
		return s.String()
	}
	t.OK, t.Bad = draw(ok), draw(bad)
}

// lanes makes a lane for each host that a fault struck, in order of name.
func lanes(faults []timeline.Injection, x func(time.Duration) float64) []lane {
	byHost := map[string]*lane{}
	for _, i := range faults {
		for _, h := range i.Hosts {
			if byHost[h] == nil {
				byHost[h] = &lane{Host: h}
			}
			byHost[h].Bands = append(byHost[h].Bands, band{x(i.From), max(2, x(i.To)-x(i.From)), class(i), tooltip(i, h)})
		}
	}
	var sorted []lane
	for _, l := range byHost {
		sorted = append(sorted, *l)
	}
	slices.SortFunc(sorted, func(a, b lane) int { return strings.Compare(a.Host, b.Host) })
	return sorted
}

// lastOf is when the last of some operations was called.
func lastOf(ops []history.Op) (last time.Duration) {
	for i := range ops {
		last = max(last, time.Duration(ops[i].Call))
	}
	return last
}

// niceStep is the distance of ticks on the time axis: about ten of them.
func niceStep(end time.Duration) time.Duration {
	for _, s := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour} {
		if end/s <= 14 {
			return s
		}
	}
	return 24 * time.Hour
}
