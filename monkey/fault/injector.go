// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// patience bounds how long an injection waits for a target that runs and whose
// loss costs no quorum.
const patience = 90 * time.Second

// Injector carries out a plan on a world. All methods but Begun are called from one
// goroutine at a time, but for Begun.
type Injector struct {
	w      world.World
	events *rundir.Events
	safe   func(hosts []string) bool
	links  *links
	active []*injection // in order of their end
	dead   map[string]bool
	begun  atomic.Int64 // injections
}

// injection is one that has begun and not ended.
type injection struct {
	act
	step    Step
	kind    scenarios.Kind
	how     behaviour
	until   time.Time
	effect  world.Effect
	traffic world.Effect // of the targets, when it began
}

// NewInjector makes an injector that logs to events. safe tells whether
// losing the given hosts now leaves every Raft cluster its quorum; faults that
// may not cost one wait for it.
func NewInjector(w world.World, events *rundir.Events, safe func(hosts []string) bool) *Injector {
	return &Injector{w: w, events: events, safe: safe, links: newLinks(w), dead: map[string]bool{}}
}

// Run carries out steps, in order of their times since start, ends those that
// end within limit, and returns when limit or ctx is over. What is still going
// on then is ended by Heal. A step that has to wait delays those after it.
func (in *Injector) Run(ctx context.Context, start time.Time, limit time.Duration, steps []Step) error {
	end := start.Add(limit)
	for ctx.Err() == nil {
		at, next := end, func() error { return nil }
		if len(steps) > 0 && start.Add(steps[0].At).Before(at) {
			at, next = start.Add(steps[0].At), func() error {
				s := steps[0]
				steps = steps[1:]
				return in.begin(ctx, end, s)
			}
		}
		if len(in.active) > 0 && in.active[0].until.Before(at) {
			at, next = in.active[0].until, func() error { return in.finish(in.active[0]) }
		}
		if !sleepUntil(ctx, at) {
			return nil
		}
		if err := next(); err != nil {
			return err
		}
		if !time.Now().Before(end) {
			return nil
		}
	}
	return nil
}

// Heal ends all that is going on, but for what is for ever.
func (in *Injector) Heal() error {
	for len(in.active) > 0 {
		if err := in.finish(in.active[0]); err != nil {
			return err
		}
	}
	return nil
}

// Begun counts the injections so far. It may be called at any time.
func (in *Injector) Begun() int { return int(in.begun.Load()) }

// Dead lists the hosts that a fault ended for ever.
func (in *Injector) Dead() map[string]bool { return in.dead }

// begin starts an injection, or tells why it could not by its deadline.
func (in *Injector) begin(ctx context.Context, end time.Time, s Step) error {
	kind, _ := scenarios.KindOf(s.Fault.Kind)
	how, err := behaviourOf(s.Fault.Kind)
	if err != nil {
		return err
	}
	hosts, why := in.await(ctx, end, s)
	if hosts == nil {
		in.events.Add(rundir.Event{Kind: rundir.FaultSkipped, Fault: kind.Name, Target: s.Fault.Target.String(), ID: s.ID, Text: why})
		return nil
	}
	j := &injection{step: s, kind: kind, how: how, traffic: in.w.Traffic(hosts...)}
	j.act = act{w: in.w, links: in.links, rng: rand.New(rand.NewPCG(s.Seed, 0)), id: s.ID, hosts: hosts, fault: s.Fault}
	if j.effect, err = how.begin(&j.act); err != nil {
		return fmt.Errorf("fault %d (%s on %v): %w", s.ID, kind.Name, hosts, err)
	}
	in.begun.Add(1)
	in.log(rundir.FaultBegin, j)
	in.started(j)
	return nil
}

// await resolves a step's targets and waits until they may be struck: until
// they run and, unless the scenario says otherwise, no quorum depends on them.
func (in *Injector) await(ctx context.Context, end time.Time, s Step) (hosts []string, why string) {
	deadline := time.Now().Add(patience)
	if end.Before(deadline) {
		deadline = end
	}
	for {
		hosts, why = in.targets(s)
		if why == "" && !s.Fault.LoseQuorum && !in.safe(slices.Concat(hosts, in.cutOff())) {
			why = fmt.Sprintf("losing %v would cost a cluster its quorum", hosts)
		}
		if why == "" {
			return hosts, ""
		}
		next := time.Now().Add(time.Second)
		if next.After(deadline) || !sleepUntil(ctx, next) {
			return nil, why
		}
		in.finishDue()
	}
}

// cutOff lists the hosts that run but are kept from talking by a fault that
// goes on.
func (in *Injector) cutOff() []string {
	var hosts []string
	for _, j := range in.active {
		if j.kind.Needs == scenarios.CanCut {
			hosts = append(hosts, j.hosts...)
		}
	}
	return hosts
}

// finishDue ends what should have ended while a step was waiting: it may be
// just what the step waits for.
func (in *Injector) finishDue() {
	for len(in.active) > 0 && !in.active[0].until.After(time.Now()) {
		if err := in.finish(in.active[0]); err != nil {
			in.events.Add(rundir.Event{Kind: rundir.Problem, Text: err.Error()})
		}
	}
}

// targets names whom a step strikes now: hosts drawn by the plan, or whoever
// leads. They all run; otherwise why says what is missing.
func (in *Injector) targets(s Step) (hosts []string, why string) {
	hosts = s.Hosts
	switch s.Fault.Target.Class {
	case scenarios.DrummerLeader:
		h, ok := in.w.DrummerLeader()
		if !ok {
			return nil, "no Drummer server leads"
		}
		hosts = []string{h}
	case scenarios.ClusterLeader:
		h, ok := in.w.ClusterLeader(s.Cluster)
		if !ok {
			return nil, fmt.Sprintf("cluster %d has no leader", s.Cluster)
		}
		hosts = []string{h}
	}
	if len(hosts) == 0 {
		return nil, "every possible target is dead for ever"
	}
	for _, h := range hosts {
		if !in.w.Running(h) {
			return nil, fmt.Sprintf("host %s does not run", h)
		}
	}
	return hosts, ""
}

// started files an injection: for ever, or until its end.
func (in *Injector) started(j *injection) {
	if j.step.Fault.Forever {
		for _, h := range j.hosts {
			in.dead[h] = true
		}
		return
	}
	j.until = time.Now().Add(j.step.For)
	i, _ := slices.BinarySearchFunc(in.active, j, func(x, y *injection) int { return x.until.Compare(y.until) })
	in.active = slices.Insert(in.active, i, j)
}

// finish ends an injection and boots what it had ended.
func (in *Injector) finish(j *injection) error {
	in.active = slices.DeleteFunc(in.active, func(x *injection) bool { return x == j })
	if !j.kind.Down { // what links did to the targets' messages since it began
		j.effect = in.w.Traffic(j.hosts...).Sub(j.traffic)
	}
	if j.how.end != nil {
		if err := j.how.end(&j.act); err != nil {
			return fmt.Errorf("end fault %d (%s on %v): %w", j.id, j.kind.Name, j.hosts, err)
		}
	}
	in.log(rundir.FaultEnd, j)
	if j.kind.Down {
		in.boot(j.hosts)
	}
	return nil
}

// boot starts the processes of hosts that are down and not to stay so. One
// that does not start on what its disk holds is a finding.
func (in *Injector) boot(hosts []string) {
	for _, h := range hosts {
		if in.dead[h] || in.w.Running(h) {
			continue
		}
		ev := rundir.Event{Kind: rundir.Boot, Hosts: []string{h}}
		if err := in.w.Boot(h); err != nil {
			ev.Kind, ev.Text = rundir.BootFailed, err.Error()
		}
		in.events.Add(ev)
	}
}

func (in *Injector) log(kind rundir.EventKind, j *injection) {
	ev := rundir.Event{Kind: kind, Fault: j.kind.Name, Target: j.step.Fault.Target.String(), ID: j.id,
		Hosts: j.hosts, Forever: j.step.Fault.Forever}
	if kind == rundir.FaultEnd || j.kind.Down {
		effect := j.effect
		ev.Effect = &effect
	}
	in.events.Add(ev)
}

// sleepUntil returns false when ctx ended first.
func sleepUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
