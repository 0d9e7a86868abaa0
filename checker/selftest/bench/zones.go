// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/linear/online"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
)

// mostOnline is the goal of the online judge, in nanoseconds an operation.
const mostOnline = 100

// judgesOfZones measures the judge of growing histories, and what it would
// cost to judge finished ones with it.
func judgesOfZones(ctx context.Context, t *table) error {
	spec := generate.Spec{Seed: 1, Ops: 20_000, Keys: 100, Clients: 32, Unknown: 0.01, Put: 0.4, Cas: 0.1}
	calls, g := 100, goal{most: mostOnline}
	if t.Quick {
		calls, g = 1, goal{}
	}
	judge, loop, err := onlineTimes(generate.History(spec), calls)
	if err != nil {
		return err
	}
	t.row("online, 20k x 100 x 32 x 1 %: an operation", perOp(judge-loop, spec.Ops), false, " ns", g,
		fmt.Sprintf("not counted: %.0f ns of the loop that hands operations over", perOp(loop, spec.Ops)))
	ops := generate.History(t.theMillion())
	start := time.Now()
	generate.Events(ops) // what the online judge needs: calls and returns in order of time
	sorting := time.Since(start)
	judge, loop, err = onlineTimes(ops, 1)
	if err != nil {
		return err
	}
	log, err := keylog.Of(model.KV, ops)
	if err != nil {
		return err
	}
	batch := t.best(func() { linear.CheckLog(ctx, log, nil, linear.Options{}) })
	layout := t.best(func() { _, err = keylog.Of(model.KV, ops) })
	t.row("a finished history: the online judge / the batch judge", float64(sorting+judge-loop)/float64(batch+layout), false, " times", goal{},
		fmt.Sprintf("%s; online %s after sorting in %s, batch %s after laying out in %s", millionName, round(judge-loop), round(sorting), round(batch), round(layout)))
	return err
}

func perOp(d time.Duration, ops int) float64 { return float64(d.Nanoseconds()) / float64(ops) }

// onlineTimes returns the least times of the online judge with the loop that
// hands it events, and of the loop alone.
func onlineTimes(ops []history.Op, calls int) (judge, loop time.Duration, err error) {
	events := generate.Events(ops)
	judge, loop = time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for range calls {
		d, err := feed(online.New(0), events)
		if err != nil {
			return 0, 0, err
		}
		judge = min(judge, d)
		if d, err = feed(noJudge{}, events); err != nil {
			return 0, 0, err
		}
		loop = min(loop, d)
	}
	return judge, loop, nil
}

// judge is what online.Judge is.
type judge interface {
	Begin(*history.Op) online.Ticket
	End(online.Ticket, *history.Op) *online.Violation
}

// noJudge judges nothing: with it the loop alone is measured.
type noJudge struct{}

func (noJudge) Begin(op *history.Op) online.Ticket               { return online.Ticket(op.Call) }
func (noJudge) End(online.Ticket, *history.Op) *online.Violation { return nil }

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

// alone measures what porcupine can't do.
func alone(ctx context.Context, t *table) error {
	cases := []struct {
		name                   string
		mostMillis, mostMemory float64 // memory: in MB, with the input
		spec                   generate.Spec
		big                    bool
	}{
		{"one key, 1M x 128 x 5 %", 100, 128, generate.Spec{Seed: 1, Ops: 1_000_000, Keys: 1, Clients: 128, Unknown: 0.05, Put: 0.4, Cas: 0.1}, false},
		{"10M x 1000 x 128 x 1 %", 1000, 1000, generate.Spec{Seed: 1, Ops: 10_000_000, Keys: 1000, Clients: 128, Unknown: 0.01, Put: 0.4, Cas: 0.1}, true},
	}
	for _, c := range cases {
		name := c.name + ": judging a log laid out already"
		if c.big && !t.Big {
			t.missing(name, "not asked for")
			continue
		}
		if t.Quick {
			c.spec.Ops = 10_000
		}
		b := keylog.NewBuilder(model.KV)
		var err error
		generate.Each(c.spec, func(op history.Op) {
			if e := b.Add(&op); e != nil {
				err = e
			}
		})
		if err != nil {
			return err
		}
		log, err := keylog.Join(b)
		if err != nil {
			return err
		}
		b = nil
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		var res linear.Result
		above := allocated(func() { res = linear.CheckLog(ctx, log, nil, linear.Options{}) })
		here := t.best(func() { res = linear.CheckLog(ctx, log, nil, linear.Options{}) })
		if res.Verdict != linear.OK {
			return fmt.Errorf("%s: judged %s: %s", c.name, res.Verdict, res.Explanation)
		}
		memory := float64(before.HeapAlloc+uint64(above)) / million
		t.row(name, float64(here)/float64(time.Millisecond), false, " ms", goal{most: c.mostMillis}, "")
		t.row(c.name+": memory with the log", memory, false, " MB", goal{most: c.mostMemory}, fmt.Sprintf("%.0f MB of it above the log", float64(above)/million))
	}
	return nil
}
