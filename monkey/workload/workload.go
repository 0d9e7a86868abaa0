// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey/latency"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Recorder takes the history; history.Recorder is one. Its methods are called
// from many goroutines.
type Recorder interface {
	Invoke(history.Op) (history.Handle, error)
	Return(history.Handle, history.Answer) (history.Op, error)
}

// Config is what a Workload is made from. All fields but Seed must be set.
type Config struct {
	Scenario *scenarios.Scenario
	// Seed draws the schedule of operations.
	Seed   uint64
	Target Target
	// Local is the Target of as many clients as the scenario says.
	Local    Target
	Recorder Recorder
	// Start is the zero of the times in the history: the start of the run.
	Start time.Time
	// Operations, unless nil, are asked for in place of those on keys.
	Operations Operations
	// OnDisk reports whether a cluster's state machines are on-disk ones, which
	// take no sessions; nil: as the scenario says.
	OnDisk func(cluster uint64) bool
}

// Workload is all clients of a run.
type Workload struct {
	settings scenarios.Workload
	timeout  time.Duration
	thinking latency.Distribution
	schedule *schedule
	target   Target
	local    Target
	recorder Recorder
	start    time.Time
	known    *known
	written  *written
	stats    stats
	lastID   atomic.Int64

	operations Operations // nil: those on keys
	object     *object    // what keys hold; nil: texts
	onDisk     func(cluster uint64) bool

	finish     chan struct{} // closed: no more operations
	finishOnce sync.Once
}

// New returns a workload that has not begun.
func New(c Config) *Workload {
	if c.OnDisk == nil {
		clusters := c.Scenario.Clusters
		c.OnDisk = func(cluster uint64) bool { return clusters.Kind(cluster) == "ondisk" }
	}
	return &Workload{
		settings: c.Scenario.Workload,
		timeout:  c.Scenario.Workload.Timeout.D(),
		thinking: latency.Of(c.Scenario.Workload.Think),
		schedule: newSchedule(c.Scenario, c.Seed),
		target:   c.Target,
		local:    c.Local,
		recorder: c.Recorder,
		start:    c.Start,
		known:    newKnown(),
		written:  newWritten(),
		finish:   make(chan struct{}),

		operations: c.Operations,
		object:     objects[c.Scenario.Workload.Kind],
		onDisk:     c.OnDisk,
	}
}

// Run starts operations, as the seed has drawn them, until Finish is called,
// and returns when the last one has ended. When ctx ends before, operations
// that are open are given up at once and recorded as of unknown outcome. The
// error is of the harness: the history could not be recorded, or a state
// machine answered what it never can. Call Run once.
func (w *Workload) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	intents := make(chan intent)
	for i := range w.settings.Clients {
		own := newKnown()
		for range w.settings.Open {
			worker := w.newWorker(w.targetOf(i), w.usesSessions(i), own)
			group.Go(func() error { return worker.work(ctx, intents) })
		}
	}
	group.Go(func() error {
		defer close(intents)
		w.dispatch(ctx, intents)
		return nil
	})
	return group.Wait()
}

// Finish lets Run start no more operations. It may be called any number of
// times.
func (w *Workload) Finish() { w.finishOnce.Do(func() { close(w.finish) }) }

// targetOf returns what client number i asks.
func (w *Workload) targetOf(i int) Target {
	if i < w.settings.Local {
		return w.local
	}
	return w.target
}

// usesSessions reports whether client number i uses registered sessions.
func (w *Workload) usesSessions(i int) bool {
	return w.settings.Sessions == "registered" || w.settings.Sessions == "mixed" && i%2 == 0
}

// dispatch hands each intent at its time to a client that is idle. When all of
// them wait for answers, it is missed: time does not wait for them.
func (w *Workload) dispatch(ctx context.Context, intents chan<- intent) {
	began := time.Now()
	for {
		in, more := w.schedule.next()
		if !more {
			select {
			case <-w.finish:
			case <-ctx.Done():
			}
			return
		}
		timer := time.NewTimer(time.Until(began.Add(in.at)))
		select {
		case <-timer.C:
		case <-w.finish:
			timer.Stop()
			return
		case <-ctx.Done():
			timer.Stop()
			return
		}
		select {
		case intents <- in:
			w.stats.ask(false)
		default:
			w.stats.ask(true)
		}
	}
}

// openOp is an operation that was invoked and did not return yet.
type openOp struct {
	w      *Workload
	handle history.Handle
}

// invoke records that an operation is about to be sent. Nothing of it may be
// sent before invoke has returned.
func (w *Workload) invoke(op history.Op) (openOp, error) {
	op.Call = int64(time.Since(w.start))
	handle, err := w.recorder.Invoke(op)
	if err != nil {
		return openOp{}, fmt.Errorf("cannot record an operation: %w", err)
	}
	return openOp{w, handle}, nil
}

// end records how the operation ended.
func (o openOp) end(a history.Answer) (history.Outcome, error) {
	a.Return = int64(time.Since(o.w.start))
	if _, err := o.w.recorder.Return(o.handle, a); err != nil {
		return "", fmt.Errorf("cannot record the end of an operation: %w", err)
	}
	o.w.stats.end(a.Outcome)
	return a.Outcome, nil
}
