// SPDX-License-Identifier: Apache-2.0

// Package bench measures the checker end to end and against porcupine, on the
// same histories in the same run, and compares every figure with its goal.
//
// Porcupine gets a []porcupine.Operation, partitioned by key and hashed, and is
// stopped after a limit; a ratio is then at least what the limit gives. The
// checker starts from a file, from a []history.Op, or, where a row says so,
// from a keylog.Log that is laid out already.
package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/reference"
)

// Options say what to measure.
type Options struct {
	// Limit stops porcupine on one history.
	Limit time.Duration
	// Histories is the folder of real histories, "" for none.
	Histories string
	// Command is a checker: run with a file, it judges it. Its peak memory is
	// measured. Without it that figure is reported as not measured.
	Command []string
	// Big includes the history of ten million operations.
	Big bool
	// Quick measures small histories, once: for tests of the table itself.
	Quick bool
}

// Summary counts the figures.
type Summary struct {
	Met int
	// Missed are the figures that are worse than their goals, Unmeasured what
	// could not be measured, and why.
	Missed, Unmeasured []string
}

// OK reports whether everything was measured and met its goal.
func (s *Summary) OK() bool { return len(s.Missed)+len(s.Unmeasured) == 0 }

// Run measures and prints. The error describes a wrong verdict, or is the
// context's.
func Run(ctx context.Context, w io.Writer, o Options) (Summary, error) {
	t := &table{w: w, Options: o}
	for _, part := range []struct {
		title string
		run   func(context.Context, *table) error
	}{
		{"end to end", endToEnd},
		{"against porcupine", againstPorcupine},
		{"the two judges of zones", judgesOfZones},
		{"what porcupine can't do", alone},
	} {
		fmt.Fprintf(w, "%s\n", part.title)
		if err := part.run(ctx, t); err != nil {
			return t.sum, fmt.Errorf("%s: %w", part.title, err)
		}
		if err := ctx.Err(); err != nil {
			return t.sum, err
		}
	}
	fmt.Fprintf(w, "%d figures met their goals, %d did not, %d could not be measured\n", t.sum.Met, len(t.sum.Missed), len(t.sum.Unmeasured))
	for _, m := range t.sum.Missed {
		fmt.Fprintf(w, "  not met: %s\n", m)
	}
	for _, m := range t.sum.Unmeasured {
		fmt.Fprintf(w, "  not measured: %s\n", m)
	}
	return t.sum, nil
}

// table prints figures, a line each.
type table struct {
	Options
	w   io.Writer
	sum Summary
}

// goal is what a figure should be; the zero goal asks for nothing.
type goal struct {
	least, most float64 // 0 for no bound
}

// row prints a figure with its goal. more says that the figure is a lower
// bound.
func (t *table) row(name string, value float64, more bool, unit string, g goal, note string) {
	figure := sig(value) + unit
	if more {
		figure = "> " + figure
	}
	want, verdict := "", ""
	switch {
	case g.least > 0:
		want = ">= " + sig(g.least) + unit
	case g.most > 0:
		want = "<= " + sig(g.most) + unit
	}
	if want != "" {
		if value < g.least || g.most > 0 && (value > g.most || more) {
			verdict = "NOT MET"
			t.sum.Missed = append(t.sum.Missed, fmt.Sprintf("%s: %s, goal %s", name, figure, want))
		} else {
			verdict = "met"
			t.sum.Met++
		}
	}
	fmt.Fprintf(t.w, "  %-74s %14s  %-14s %-8s %s\n", name, figure, want, verdict, note)
}

// missing prints a row that can't be measured.
func (t *table) missing(name, why string) {
	t.sum.Unmeasured = append(t.sum.Unmeasured, name+": "+why)
	fmt.Fprintf(t.w, "  %-74s %14s  %-14s %-8s %s\n", name, "not measured", "", "", why)
}

// sig writes a number with three digits that mean something.
func sig(v float64) string {
	if v >= 100 || v == math.Trunc(v) {
		return group(int64(math.Round(v)))
	}
	return fmt.Sprintf("%.*f", max(0, 2-int(math.Floor(math.Log10(max(v, 1e-3))))), v)
}

// group writes an integer with commas.
func group(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", group(n/1000), n%1000)
}

// best returns the least time of several calls: those that other processes
// disturb don't count.
func (o *Options) best(do func()) time.Duration {
	const (
		atLeast, atMost = 5, 200
		enough          = time.Second
		// Before a call that is longer than long the heap is collected; it
		// would empty the caches for shorter ones.
		long = 10 * time.Millisecond
	)
	least := time.Duration(math.MaxInt64)
	start := time.Now()
	for n := 0; n < 1 || !o.Quick && (n < atLeast || n < atMost && time.Since(start) < enough); n++ {
		if least > long {
			runtime.GC()
		}
		begin := time.Now()
		do()
		least = min(least, time.Since(begin))
	}
	return least
}

// porcupine returns the least time that porcupine takes, of three if it is
// quick.
func (o *Options) porcupine(ops []history.Op) (time.Duration, porcupine.CheckResult) {
	model, operations := reference.Model(), reference.Operations(ops)
	least, verdict := time.Duration(math.MaxInt64), porcupine.Unknown
	for range 3 {
		runtime.GC()
		begin := time.Now()
		verdict = porcupine.CheckOperationsTimeout(model, operations, o.Limit)
		least = min(least, time.Since(begin))
		if verdict == porcupine.Unknown || least > o.Limit/4 {
			break
		}
	}
	return least, verdict
}

// allocated returns the bytes that a call allocates, which is more than it
// holds at any time.
func allocated(do func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

func round(d time.Duration) string {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Nanosecond).String()
}
