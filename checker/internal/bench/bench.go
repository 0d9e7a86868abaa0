// SPDX-License-Identifier: Apache-2.0

// Package ratios measures the engines of package linear against porcupine, on
// the same histories in the same run, and prints a table. Each engine gets the
// history in the form that it takes: porcupine a []porcupine.Operation,
// partitioned by key and hashed, this module a linear.Log, as the readers
// leave it. Porcupine is stopped after a limit; a ratio is then at least what
// the limit gives.
package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/internal/compare"
	"github.com/drumbeat-raft/drumbeat/checker/internal/generate"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/online"
)

// Options say what to measure.
type Options struct {
	// Limit stops porcupine on one history.
	Limit time.Duration
	// Shared is the folder of real histories; rows that need it are left out
	// where it is missing.
	Shared string
	// Big includes the histories of ten million operations.
	Big bool
	// Quick measures small histories, once: for tests of the table itself.
	Quick bool
}

// Run measures and prints. The error tells of a wrong verdict.
func Run(ctx context.Context, w io.Writer, o Options) error {
	fmt.Fprintf(w, "%-58s %14s %14s %14s %8s  %s\n", "history", "porcupine", "here", "ratio", "goal", "notes")
	for _, row := range rows() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := row.measure(ctx, w, o); err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
	}
	if err := etcd(ctx, w, o); err != nil {
		return err
	}
	if err := alone(ctx, w, o); err != nil {
		return err
	}
	return online(w, o)
}

type row struct {
	name string
	spec generate.Spec
	goal string
	// seeds is the number of histories whose times are added up, 1 if it is 0:
	// porcupine's time varies with its luck.
	seeds int
	// plant puts a stale read near the end.
	plant bool
	want  linear.Verdict
}

func rows() []row {
	spec := func(ops, keys, clients int, unknown float64) generate.Spec {
		return generate.Spec{Seed: 1, Ops: ops, Keys: keys, Clients: clients, Unknown: unknown, Put: 0.4, Cas: 0.1}
	}
	repeat := func(clients int) generate.Spec {
		return generate.Spec{Seed: 1, Ops: 10_000, Keys: 1, Clients: clients, Unknown: 0.02, Put: 0.3, Cas: 0.2, Values: 5}
	}
	busy := spec(10_000, 10, 128, 0.01)
	busy.Busy = true
	return []row{
		{name: "1M operations x 1000 keys x 32 clients x 1 % unknown", spec: spec(1_000_000, 1000, 32, 0.01), goal: "50"},
		{name: "10k x 10 x 128 x 1 %, clients always busy", spec: busy, goal: "100,000", seeds: 3},
		{name: "the same, idle for a third of their time", spec: spec(10_000, 10, 128, 0.01), seeds: 5},
		{name: "one key, 1k x 32", spec: spec(1_000, 1, 32, 0), goal: "1,000,000"},
		{name: "stale read planted late, 10k x 10 x 32 x 5 %", spec: spec(10_000, 10, 32, 0.05), goal: "100,000", plant: true, want: linear.Violation},
		{name: "10k x 5 clients, values repeat, 2 % crashed", spec: repeat(5), goal: "0.83"},
		{name: "10k x 10 clients, values repeat, 2 % crashed", spec: repeat(10), goal: "0.83"},
	}
}

func (r row) measure(ctx context.Context, w io.Writer, o Options) error {
	if r.want == "" {
		r.want = linear.OK
	}
	if o.Quick {
		r.spec.Ops = min(r.spec.Ops, 2000)
	}
	var here, there, whole time.Duration
	var notes string
	stopped := false
	for range max(1, r.seeds) {
		m, err := r.once(ctx, o)
		if err != nil {
			return err
		}
		here, there, whole, stopped, notes = here+m.here, there+m.there, whole+m.whole, stopped || m.stopped, m.notes
		r.spec.Seed++
	}
	notes = fmt.Sprintf("with the making of the log %.0f; %s", float64(there)/float64(whole), notes)
	if r.seeds > 1 {
		notes = fmt.Sprintf("%d histories; %s", r.seeds, notes)
	}
	print(w, r.name, there, stopped, here, r.goal, notes)
	return nil
}

type measured struct {
	here, there time.Duration
	whole       time.Duration // here, with the making of the log
	stopped     bool          // porcupine was
	notes       string
}

func (r row) once(ctx context.Context, o Options) (m measured, err error) {
	ops := generate.History(r.spec)
	if r.plant {
		plantStale(ops)
	}
	log, err := logOf(ops)
	if err != nil {
		return m, err
	}
	var res linear.Result
	m.here = o.best(func() { res = linear.CheckLog(ctx, log, func(i int) history.Op { return ops[i] }, linear.Options{}) })
	if res.Verdict != r.want {
		return m, fmt.Errorf("judged %s, not %s: %s", res.Verdict, r.want, res.Explanation)
	}
	m.whole = o.best(func() { _, err = linear.Check(ctx, ops, linear.Options{}) })
	if err != nil {
		return m, err
	}
	bytes := allocated(func() { linear.CheckLog(ctx, log, nil, linear.Options{}) })
	var verdict porcupine.CheckResult
	m.there, verdict = porcupineTime(ops, o.Limit)
	m.stopped = verdict == porcupine.Unknown
	if !m.stopped && (verdict == porcupine.Ok) != (r.want == linear.OK) {
		return m, fmt.Errorf("porcupine says %s", verdict)
	}
	m.notes = fmt.Sprintf("%s, %d bytes an operation above the input", res.Engine, bytes/int64(len(ops)))
	if r.plant {
		m.notes += "; " + res.Explanation
	}
	return m, nil
}

// plantStale lets a late read observe what was there long before.
func plantStale(ops []history.Op) {
	for i := len(ops) * 9 / 10; i < len(ops); i++ {
		if ops[i].Kind != history.Get || ops[i].Outcome != history.OK {
			continue
		}
		for j := len(ops) / 2; j < len(ops); j++ {
			if w := &ops[j]; w.Key == ops[i].Key && w.Kind == history.Put && w.Outcome == history.OK {
				ops[i].Observed, ops[i].ObservedWriter = w.Value, w.Writer
				return
			}
		}
	}
}

func logOf(ops []history.Op) (*linear.Log, error) {
	l := linear.NewLog()
	for i := range ops {
		if err := l.Add(&ops[i]); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// best returns the least time of several calls: those that other processes
// disturb don't count.
func (o Options) best(do func()) time.Duration {
	least := time.Duration(math.MaxInt64)
	start := time.Now()
	for n := 0; n < 1 || !o.Quick && n < 3 || !o.Quick && n < 200 && time.Since(start) < time.Second; n++ {
		if least > 10*time.Millisecond {
			runtime.GC() // it would empty the caches for shorter calls
		}
		begin := time.Now()
		do()
		least = min(least, time.Since(begin))
	}
	return least
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

func porcupineTime(ops []history.Op, limit time.Duration) (time.Duration, porcupine.CheckResult) {
	model, history := compare.Model(), compare.Operations(ops)
	least, verdict := time.Duration(math.MaxInt64), porcupine.Unknown
	for range 3 {
		runtime.GC()
		begin := time.Now()
		verdict = porcupine.CheckOperationsTimeout(model, history, limit)
		least = min(least, time.Since(begin))
		if verdict == porcupine.Unknown || least > limit/4 {
			break
		}
	}
	return least, verdict
}

func print(w io.Writer, name string, there time.Duration, stopped bool, here time.Duration, goal, notes string) {
	more := ""
	if stopped {
		more = ">"
	}
	fmt.Fprintf(w, "%-58s %14v %14v %14s %8s  %s\n", name, more+round(there), round(here), fmt.Sprintf("%s%.1f", more, float64(there)/float64(here)), goal, notes)
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

// etcd measures the real histories, whose values repeat.
func etcd(ctx context.Context, w io.Writer, o Options) error {
	files, _ := filepath.Glob(filepath.Join(o.Shared, "etcd-jepsen", "*.log"))
	if len(files) == 0 {
		fmt.Fprintf(w, "the etcd logs are left out: %s is not there\n", o.Shared)
		return nil
	}
	var here, there time.Duration
	slower, calls := 0, 20
	if o.Quick {
		calls = 1
	}
	for _, path := range files {
		ops, err := history.ReadFile(path, history.Auto)
		if err != nil {
			return err
		}
		log, err := logOf(ops)
		if err != nil {
			return err
		}
		var res linear.Result
		mine := least(calls, func() {
			res = linear.CheckLog(ctx, log, func(i int) history.Op { return ops[i] }, linear.Options{NoCore: true})
		})
		model, hist := compare.Model(), compare.Operations(ops)
		var legal bool
		theirs := least(calls, func() { legal = porcupine.CheckOperations(model, hist) })
		if legal != (res.Verdict == linear.OK) {
			return fmt.Errorf("%s: %s, but porcupine: legal %v", path, res.Verdict, legal)
		}
		here, there = here+mine, there+theirs
		if mine > theirs {
			slower++
		}
	}
	print(w, fmt.Sprintf("the %d etcd logs, values repeat", len(files)), there, false, here, "20", fmt.Sprintf("slower than porcupine on %d", slower))
	return nil
}

func least(n int, do func()) time.Duration {
	d := time.Duration(math.MaxInt64)
	for range n {
		begin := time.Now()
		do()
		d = min(d, time.Since(begin))
	}
	return d
}

// alone measures what porcupine can't do.
func alone(ctx context.Context, w io.Writer, o Options) error {
	cases := []struct {
		name, goal string
		spec       generate.Spec
		big        bool
	}{
		{"one key, 1M x 128 x 5 %", "100 ms, 128 MB", generate.Spec{Seed: 1, Ops: 1_000_000, Keys: 1, Clients: 128, Unknown: 0.05, Put: 0.4, Cas: 0.1}, false},
		{"10M x 1000 x 128 x 1 %", "1 s, 1 GB", generate.Spec{Seed: 1, Ops: 10_000_000, Keys: 1000, Clients: 128, Unknown: 0.01, Put: 0.4, Cas: 0.1}, true},
	}
	for _, c := range cases {
		if c.big && !o.Big {
			continue
		}
		if o.Quick {
			c.spec.Ops = 10_000
		}
		log := linear.NewLog()
		var err error
		generate.Each(c.spec, func(op history.Op) {
			if e := log.Add(&op); e != nil {
				err = e
			}
		})
		if err != nil {
			return err
		}
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		var res linear.Result
		above := allocated(func() { res = linear.CheckLog(ctx, log, nil, linear.Options{}) })
		here := o.best(func() { res = linear.CheckLog(ctx, log, nil, linear.Options{}) })
		if res.Verdict != linear.OK {
			return fmt.Errorf("%s: judged %s: %s", c.name, res.Verdict, res.Explanation)
		}
		fmt.Fprintf(w, "%-58s %14s %14v %14s %8s  goal %s; %d MB of input, %d MB above\n", c.name, "can't", round(here), "", "",
			c.goal, before.HeapAlloc>>20, above>>20)
	}
	return nil
}

// online measures the judge of growing histories.
func online(w io.Writer, o Options) error {
	ops := generate.History(generate.Spec{Seed: 1, Ops: 20_000, Keys: 100, Clients: 32, Unknown: 0.01, Put: 0.4, Cas: 0.1})
	events := generate.Events(ops)
	took, loop, calls := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64), 100
	if o.Quick {
		calls = 1
	}
	for range calls {
		t, err := Online(events)
		if err != nil {
			return err
		}
		took = min(took, t)
		if t, err = feed(nobody{}, events); err != nil {
			return err
		}
		loop = min(loop, t)
	}
	each := func(t time.Duration) int64 { return t.Nanoseconds() / int64(len(ops)) }
	fmt.Fprintf(w, "%-58s %14s %14s %14s %8s  goal 100 ns; not counted: %d ns of the loop that hands operations over\n",
		"online, 20k x 100 x 32 x 1 %", "can't", fmt.Sprintf("%d ns/op", each(took-loop)), "", "", each(loop))
	return nil
}

// judge is what linear.Online is.
type judge interface {
	Begin(*history.Op) online.Ticket
	End(online.Ticket, *history.Op) *online.Violation
}

// nobody judges nothing: with it the loop alone is measured.
type nobody struct{}

func (nobody) Begin(op *history.Op) online.Ticket               { return online.Ticket(op.Call) }
func (nobody) End(online.Ticket, *history.Op) *online.Violation { return nil }

// Online lets the online judge judge events, and returns the time it takes,
// with the loop that hands them over.
func Online(events []generate.Event) (time.Duration, error) {
	return feed(online.New(0), events)
}

// feed hands events to a judge. Operations are touched before, without the
// clock: a client that has just made one has it in the processor's cache.
func feed(to judge, events []generate.Event) (took time.Duration, err error) {
	const batch = 1000
	tickets := make([]online.Ticket, len(events))
	for len(events) > 0 {
		now := events[:min(batch, len(events))]
		events = events[len(now):]
		runtime.KeepAlive(touch(now))
		start := time.Now()
		for _, e := range now {
			if !e.End {
				tickets[e.N] = to.Begin(e.Op)
			} else if v := to.End(tickets[e.N], e.Op); v != nil {
				return took, v
			}
		}
		took += time.Since(start)
	}
	return took, nil
}

func touch(events []generate.Event) (sum int) {
	for _, e := range events {
		op := *e.Op
		sum += len(op.Key) + len(op.Value.Text()) + len(op.Observed.Text()) + int(op.Return)
	}
	return sum
}

// Shared returns the folder of real histories beside the module's root, as
// seen from dir.
func Shared(dir string) string {
	for range 8 {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Join(dir, "..")
	}
	return filepath.Join(dir, "..", "shared", "histories")
}
