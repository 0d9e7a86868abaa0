// SPDX-License-Identifier: Apache-2.0

package draw

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// toScale is which part of the width is shared out by time; the rest goes in
// equal parts to the moments at which something happens, so that operations
// microseconds apart can be told apart next to a fault of a minute.
const toScale = 0.4

// axis maps moments to places. It only ever goes to the right.
type axis struct {
	stops []stop
	Ticks []tick
	Gaps  []gap
	ns    bool // times are nanoseconds
}

type stop struct {
	t int64
	x float64
}

type tick struct {
	X    float64
	Name string
}

// gap is where operations are left out.
type gap struct {
	X, W  float64
	Count int
}

// between returns from where to where there is room for the labels of a run.
func (a *axis) between(n int) (left, right float64) {
	left, right = gutter, width-padding
	if n > 0 {
		left = a.Gaps[n-1].X + gapWide
	}
	if n < len(a.Gaps) {
		right = a.Gaps[n].X
	}
	return left, right
}

// Middle is the place in the middle.
func (g gap) Middle() float64 { return g.X + g.W/2 }

// newAxis lays the runs of a window side by side between two places.
func newAxis(w *window, bands []Band, left, right float64) *axis {
	a := &axis{}
	for i := range w.ops {
		a.ns = a.ns || inNanoseconds(w.ops[i].Call)
	}
	width := right - left - gapWide*float64(max(0, len(w.runs)-1))
	x, labelled := left, math.Inf(-1)
	for i, r := range w.runs {
		if i > 0 {
			a.Gaps = append(a.Gaps, gap{X: x, W: gapWide, Count: r.first - w.runs[i-1].end})
			x += gapWide
		}
		share := width * float64(r.end-r.first) / float64(count(w.runs))
		a.add(w.changes(r, bands), x, share)
		labelled = a.addTicks(r, x+share, share, labelled)
		x += share
	}
	return a
}

// changes lists when something begins or ends in a run, each once, in order.
func (w *window) changes(r run, bands []Band) []int64 {
	all := []int64{r.from, r.to}
	for _, op := range w.ops[r.first:r.end] {
		all = append(all, op.Call, over(&op))
	}
	for _, b := range bands {
		all = append(all, b.From, b.To)
	}
	all = slices.DeleteFunc(all, func(t int64) bool { return t < r.from || t > r.to })
	slices.Sort(all)
	return slices.Compact(all)
}

func (a *axis) add(when []int64, x, width float64) {
	first, last := when[0], when[len(when)-1]
	if first == last {
		a.stops = append(a.stops, stop{first, x + width/2})
		return
	}
	for i, t := range when {
		byTime := apart(first, t) / apart(first, last)
		byRank := float64(i) / float64(len(when)-1)
		a.stops = append(a.stops, stop{t, x + width*(toScale*byTime+(1-toScale)*byRank)})
	}
}

// apart is the distance of two moments, whatever their size.
func apart(from, to int64) float64 { return float64(uint64(to) - uint64(from)) }

// at returns the place of a moment; what is beyond the ends is at the ends.
func (a *axis) at(t int64) float64 {
	i := sort.Search(len(a.stops), func(i int) bool { return a.stops[i].t >= t })
	switch {
	case i == len(a.stops):
		return a.stops[i-1].x
	case i == 0 || a.stops[i].t == t:
		return a.stops[i].x
	}
	p, q := a.stops[i-1], a.stops[i]
	return p.x + (q.x-p.x)*apart(p.t, t)/apart(p.t, q.t)
}

// meets reports whether something of a band can be seen.
func (a *axis) meets(b Band) bool {
	return len(a.stops) > 0 && b.From <= a.stops[len(a.stops)-1].t && b.To >= a.stops[0].t
}

// addTicks labels a run, as far as the labels have room after the last one,
// which ended at labelled. It returns where its own last label ends.
func (a *axis) addTicks(r run, end, width, labelled float64) float64 {
	step := niceStep(apart(r.from, r.to) / max(1, width/tickWide))
	place := func(t int64, x float64) {
		name := a.tickName(t, step)
		half := textWide(name) / 2
		if x-half > labelled+10 && x+half <= end+padding {
			a.Ticks = append(a.Ticks, tick{x, name})
			labelled = x + half
		}
	}
	if r.from == r.to {
		place(r.from, a.at(r.from))
		return labelled
	}
	for t, ok := firstTick(r.from, step), true; ok && t >= r.from && t <= r.to; t, ok = t+step, t <= math.MaxInt64-step {
		place(t, a.at(t))
	}
	return labelled
}

// firstTick is the first multiple of a step that is no less than a moment; less
// than it if there is none within 64 bits.
func firstTick(from, step int64) int64 {
	beyond := from % step
	switch {
	case beyond > 0:
		return from - beyond + step
	case beyond < 0:
		return from - beyond
	}
	return from
}

// niceStep is the next of 1, 2, 5, 10, 20 … that is no less than a distance.
func niceStep(atLeast float64) int64 {
	ten := int64(1)
	for float64(ten)*10 < atLeast && ten < math.MaxInt64/100 {
		ten *= 10
	}
	for _, n := range []int64{1, 2, 5} {
		if float64(n*ten) >= atLeast {
			return n * ten
		}
	}
	return 10 * ten
}

// tickName writes a time as exactly as the step asks for.
func (a *axis) tickName(t, step int64) string {
	if !a.ns {
		return fmt.Sprint(t)
	}
	digits, unit := 0, int64(1e9)
	for unit > step && digits < 9 {
		digits++
		unit /= 10
	}
	return seconds(t, digits, unit)
}

// seconds formats a time in nanoseconds, rounded to units of which a second has
// ten to the power of digits.
func seconds(t int64, digits int, unit int64) string {
	n, rest, sign := t/unit, t%unit, ""
	switch {
	case rest >= unit-rest:
		n++
	case rest <= -unit-rest:
		n--
	}
	if n < 0 {
		n, sign = -n, "-"
	}
	if digits == 0 {
		return fmt.Sprintf("%s%d s", sign, n)
	}
	whole := int64(1e9) / unit
	return fmt.Sprintf("%s%d.%0*d s", sign, n/whole, digits, n%whole)
}

// inNanoseconds reports whether explain.FormatTime takes a time for nanoseconds.
func inNanoseconds(t int64) bool { return t <= -1e9 || t >= 1e9 }

// length formats how long something took.
func (a *axis) length(from, to int64) string {
	d := apart(from, to)
	switch {
	case to == history.Never:
		return "forever"
	case !a.ns:
		return fmt.Sprintf("%.0f", d)
	case d < 1e6:
		return fmt.Sprintf("%.3g ms", d/1e6)
	case d < 1e9:
		return fmt.Sprintf("%.3g s", d/1e9)
	}
	return fmt.Sprintf("%.1f s", d/1e9)
}
