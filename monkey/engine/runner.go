// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/checker/linear/online"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	"github.com/drumbeat-raft/drumbeat/monkey/application"
	"github.com/drumbeat-raft/drumbeat/monkey/fault"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/workload"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// The limits of phases whose length no scenario says.
const (
	launchLimit = 2 * time.Minute // for defining and launching; Drummer promises one
	probeLimit  = 30 * time.Second
	// calmFor is how long everything must have been whole to count as settled.
	calmFor = 3 * time.Second
)

// What ends a run early.
var (
	errInterrupted = errors.New("the run was interrupted")
	// errViolation: a history became illegal, and the scenario says to stop; or a
	// node did what Raft forbids.
	errViolation = errors.New("the run stopped at the first violation")
)

// runner carries one run through its phases, in the process that holds the
// world.
type runner struct {
	dir       string
	scenario  *scenarios.Scenario
	seed      uint64
	w         world.World
	start     time.Time
	launching time.Time // since when
	events    *timeline.Log
	recorder  *history.Recorder
	drummer   *client.Client
	wanted    *wanted
	observer  *observer
	machines  machines
	masters   masters
	audit     auditing
	backup    []byte // of DrummerDB; nil: none was made
	injector  *fault.Injector
	clients   *workload.Workload
	working   errgroup.Group // the clients, from startClients to stopClients
	progress  func(Progress)
	stop      context.CancelCauseFunc // ends the phases; set before clients work
	outcome   rundir.Outcome

	mu    sync.Mutex
	phase timeline.Phase
}

// execute runs a scenario in a world that is still down, and leaves history,
// events and facts in dir. look has the run looked at. The error is one of the harness; what went wrong
// with the system is in the facts.
func execute(ctx context.Context, dir string, s *scenarios.Scenario, seed uint64, w world.World, machines machines,
	look func(flush func()) error, progress func(Progress)) error {
	r := &runner{dir: dir, scenario: s, seed: seed, w: w, machines: machines, start: time.Now(), progress: progress}
	if err := r.open(); err != nil {
		return err
	}
	if err := look(r.recorder.TryFlush); err != nil {
		return err
	}
	err := r.run(ctx)
	if own, ok := machines.operations().(application.Clients); ok {
		err = errors.Join(err, own.Leave())
	}
	r.drummer.Close()
	w.Stop()
	r.outcome.Facts.RaftSafety = r.raftSafety()
	r.outcome.Facts.Audit = r.audit.result()
	r.outcome.Elapsed = time.Since(r.start)
	machines.recordDivergences(r.events)
	machines.outcome(&r.outcome)
	r.outcome.Upgrades = w.Upgrades()
	stats := r.clients.Stats()
	r.outcome.Asked, r.outcome.Missed = stats.Asked, stats.Missed
	return errors.Join(err, r.recorder.Close(), r.events.Close(), rundir.WriteJSON(dir, rundir.FactsFile, r.outcome))
}

// open makes the run's files and parts.
func (r *runner) open() error {
	var err error
	if r.events, err = timeline.Create(r.dir, r.start); err != nil {
		return err
	}
	if r.recorder, err = history.NewRecorder(r.dir); err != nil {
		return err
	}
	var drummers []string
	for _, h := range r.w.Hosts() {
		if h.Role == world.Drummer {
			drummers = append(drummers, h.APIAddress)
		}
	}
	r.drummer, err = client.New(client.Config{Drummers: drummers, NodeHostsOnly: r.static(), Dial: r.w.DialContext, Rand: r.rand("client"), MaxAge: 2 * time.Second})
	if err != nil {
		return err
	}
	if own, ok := r.machines.operations().(application.Clients); ok {
		own.Enter(application.Place{Hosts: r.w.Hosts(), Seed: r.seed, Dial: r.w.DialContext})
	}
	r.wanted = newWanted(r.scenario, r.machines.applicationOf)
	r.observer = newObserver(r.w, r.events, r.wanted.members, r.start, r.operated() || r.scenario.Clusters.Placed())
	r.injector = fault.NewInjector(r.w, r.events, r.observer.safe, operator{r})
	target := r.target()
	r.clients = workload.New(workload.Config{Scenario: r.scenario, Seed: r.seed,
		Target: target, Local: workload.NewLocal(target, r.w.Local), Recorder: r.judged(), Start: r.start,
		Operations: r.machines.operations(), OnDisk: r.machines.onDisk})
	return nil
}

// judged is the recorder for the clients: one that also judges, if the history is
// one of keys and the scenario has linearizability checked at all.
func (r *runner) judged() workload.Recorder {
	if !r.scenario.Checks.Enabled(invariant.Linearizability) || !r.machines.keyed() {
		return r.recorder
	}
	return newJudgingRecorder(r.recorder, workload.ModelOf(r.scenario.Workload.Kind) != nil, r.found)
}

// linearizability is what the scenario says of that check.
func (r *runner) linearizability() *invariant.LinearizabilitySettings {
	return r.scenario.Checks.Settings(invariant.Linearizability).(*invariant.LinearizabilitySettings)
}

// rand makes a random source of the run's seed for a part of the run.
func (r *runner) rand(part string) *rand.Rand {
	var p uint64
	for _, c := range []byte(part) {
		p = p<<8 | uint64(c)
	}
	return rand.New(rand.NewPCG(r.seed, p))
}

// run goes through the phases. What the system fails to do is an outcome, not
// an error.
func (r *runner) run(ctx context.Context) error {
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	var watchers sync.WaitGroup
	defer func() {
		stopWatching()
		watchers.Wait()
		r.observer.poll(ctx)
	}()
	ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	r.begin(timeline.Boot)
	if err := r.w.Start(ctx); err != nil {
		return err
	}
	watchers.Go(func() { r.observer.watch(watching) })
	if !r.static() {
		watchers.Go(func() { r.follow(watching) })
		watchers.Go(func() { r.masters.watch(watching, r.w) })
		watchers.Go(func() { r.audit.watch(watching, r) })
		watchers.Go(func() { r.audit.ask(watching, r) })
	}
	watchers.Go(func() {
		for told := 0; sleep(watching, pollEvery); {
			r.machines.recordDivergences(r.events)
			told = r.recordBreaches(told)
		}
	})
	watchers.Go(func() { r.report(watching) })
	err := r.phases(ctx)
	r.outcome.Finished = err == nil
	if err != nil {
		r.outcome.Cause = err.Error()
	}
	if errors.Is(err, errInterrupted) || errors.Is(err, errViolation) {
		return nil
	}
	return err
}

func (r *runner) phases(ctx context.Context) error {
	if err := r.launch(ctx); err != nil {
		return err
	}
	if err := r.strike(ctx); err != nil {
		return err
	}
	r.begin(timeline.Settle)
	r.settle(ctx)
	r.place(ctx)
	if err := r.stopClients(); err != nil {
		return err
	}
	r.begin(timeline.Probe)
	return errors.Join(r.collect(ctx), interrupted(ctx))
}

// strike lets the clients work and the faults strike, and heals.
func (r *runner) strike(ctx context.Context) error {
	r.begin(timeline.WarmUp)
	r.startClients(ctx)
	if !sleep(ctx, r.scenario.Warmup.D()) {
		return errors.Join(interrupted(ctx), r.stopClients())
	}
	r.begin(timeline.Faults)
	err := r.harm(ctx)
	r.begin(timeline.Heal)
	err = errors.Join(err, r.injector.Heal())
	if err == nil {
		err = interrupted(ctx)
	}
	if err != nil {
		return errors.Join(err, r.stopClients())
	}
	return nil
}

// harm lets faults strike and the operator act, until the phase is over or
// one of them fails.
func (r *runner) harm(ctx context.Context) error {
	start := time.Now()
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		return r.injector.Run(ctx, start, r.scenario.Duration.D(), fault.Plan(r.scenario, r.w.Hosts(), r.seed))
	})
	both.Go(func() error { return operate(ctx, r.events, start, r.scenario.Actions, r.act) })
	return both.Wait()
}

// startClients lets the clients work until stopClients. They go on when ctx
// ends, so that what they have sent is recorded with its outcome.
func (r *runner) startClients(ctx context.Context) {
	r.working.Go(func() error { return r.clients.Run(context.WithoutCancel(ctx)) })
}

func (r *runner) stopClients() error {
	r.clients.Finish()
	return r.working.Wait()
}

// wait polls until done or ctx ends.
func (r *runner) wait(ctx context.Context, done func() bool) {
	for !done() && sleep(ctx, pollEvery) {
	}
}

func (r *runner) begin(phase timeline.Phase) {
	r.mu.Lock()
	r.phase = phase
	r.mu.Unlock()
	r.events.Add(timeline.PhaseBegan{Phase: phase})
}

// report says how far the run is, every few seconds of its clock.
func (r *runner) report(ctx context.Context) {
	if r.progress == nil {
		return
	}
	total := r.scenario.Warmup.D() + r.scenario.Duration.D() + r.scenario.Settle.D()/4
	for sleep(ctx, 5*time.Second) {
		r.mu.Lock()
		p := Progress{Phase: string(r.phase), At: time.Since(r.start), Total: total}
		r.mu.Unlock()
		p.Ops = r.clients.Stats().Total()
		p.Faults = r.injector.Begun()
		r.progress(p)
	}
}

// interrupted says why a run is to end before its time, if it is.
func interrupted(ctx context.Context) error {
	switch {
	case ctx.Err() == nil:
		return nil
	case errors.Is(context.Cause(ctx), errViolation):
		return errViolation
	}
	return errInterrupted
}

// found notes a violation that was seen while the run goes on, and stops the
// run if the scenario says so.
func (r *runner) found(v *online.Violation) {
	r.events.Add(timeline.Violated{Cluster: v.Op.Cluster, Text: v.Error()})
	if r.linearizability().Stop {
		r.stop(errViolation)
	}
}

// sleep returns false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
