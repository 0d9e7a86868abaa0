// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

// The measures of the timeline, in SVG units.
const (
	labelWidth = 110
	plotWidth  = 960
	rateHeight = 90
	laneHeight = 18
	axisHeight = 22
)

// timeline is a drawing of a run: completed operations over time, and below
// them a lane a host with the faults that struck it.
type timeline struct {
	Width, Height int
	RateBase      int // y of no operations at all
	RateMax       int // operations a second at the top
	OK, Bad       string
	Lanes         []lane
	Ticks         []tick
	AxisY         int
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

type tick struct {
	X     float64
	Label string
}

func drawTimeline(r *judge.Result, events []rundir.Event, ops []history.Op) timeline {
	end := time.Duration(r.VirtualSeconds * float64(time.Second))
	if n := len(events); n > 0 {
		end = max(end, events[n-1].At)
	}
	end = max(end, time.Second)
	t := timeline{Width: labelWidth + plotWidth + 10, RateBase: rateHeight}
	x := func(at time.Duration) float64 { return labelWidth + plotWidth*float64(at)/float64(end) }
	t.drawRate(ops, end)
	t.Lanes = lanes(events, end, x)
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
func (t *timeline) drawRate(ops []history.Op, end time.Duration) {
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
func lanes(events []rundir.Event, end time.Duration, x func(time.Duration) float64) []lane {
	ends := map[int]time.Duration{}
	for _, ev := range events {
		if ev.Kind == rundir.FaultEnd {
			ends[ev.ID] = ev.At
		}
	}
	byHost := map[string]*lane{}
	for _, ev := range events {
		if ev.Kind != rundir.FaultBegin {
			continue
		}
		to, ended := ends[ev.ID]
		if !ended {
			to = end
		}
		for _, h := range ev.Hosts {
			if byHost[h] == nil {
				byHost[h] = &lane{Host: h}
			}
			text := fmt.Sprintf("%s of %s at %s for %s", ev.Fault, h, clock(ev.At), (to - ev.At).Round(time.Millisecond))
			class := ev.Fault
			if ev.Forever {
				class, text = class+" forever", fmt.Sprintf("%s of %s at %s, for ever", ev.Fault, h, clock(ev.At))
			}
			byHost[h].Bands = append(byHost[h].Bands, band{x(ev.At), max(2, x(to)-x(ev.At)), class, text})
		}
	}
	var all []lane
	for _, l := range byHost {
		all = append(all, *l)
	}
	slices.SortFunc(all, func(a, b lane) int { return strings.Compare(a.Host, b.Host) })
	return all
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
