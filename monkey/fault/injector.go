// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

const (
	// retryLimit is how long an injection waits for a target that runs and whose
	// loss costs no quorum. After that it is skipped.
	retryLimit = 90 * time.Second
	// retryEvery is the time between two attempts.
	retryEvery = time.Second
	// retryJoining is the same where the target is a member that joins, which it
	// does within milliseconds.
	retryJoining = 10 * time.Millisecond
)

// Log is where the injector records what it does: a *timeline.Log.
type Log interface {
	Add(timeline.Fact)
	Since(time.Time) time.Duration
}

// Injector carries out a plan on a world. Run and Heal are called from one
// goroutine, Begun from any.
type Injector struct {
	world  world.World
	log    Log
	safe   Safe
	links  *links
	active []*active // in order of their end
	dead   map[string]bool
	begun  atomic.Int64 // injections
}

// pending is a step that has not begun.
type pending struct {
	step    Step
	planned time.Time
	next    time.Time // attempt
	waited  string    // why the last attempt failed; empty: there was none
}

// active is an injection that begins, or has begun and not ended.
type active struct {
	*injection
	kind    behaviour
	plan    pending
	until   time.Time
	traffic world.Effect // of its hosts, when it began
}

// Safe reports whether losing hosts, while lost are lost already, costs no Raft
// cluster a quorum that it has. If it is forever, a cluster that has none at
// present must not lose a member either: nobody knows whether it would get its
// quorum back.
type Safe func(hosts, lost []string, forever bool) bool

// NewInjector makes an injector that records what it does in log. Faults that may
// cost no quorum wait until safe says that they don't.
func NewInjector(w world.World, log Log, safe Safe) *Injector {
	return &Injector{world: w, log: log, safe: safe, links: newLinks(w), dead: map[string]bool{}}
}

// Run carries out steps, whose times are since start, ends those that end
// within limit, and returns when limit or ctx is over. What is still going on
// then is ended by Heal.
//
// Steps of one instant are judged together and begin together. A step that can't
// be carried out when it is due is tried again for retryLimit, and holds no other
// up.
func (in *Injector) Run(ctx context.Context, start time.Time, limit time.Duration, steps []Step) error {
	end := start.Add(limit)
	queue := make([]pending, len(steps)) // in order of their next attempts
	for i, s := range steps {
		at := start.Add(s.At)
		queue[i] = pending{step: s, planned: at, next: at}
	}
	for {
		at := end
		if len(queue) > 0 && queue[0].next.Before(at) {
			at = queue[0].next
		}
		ending := len(in.active) > 0 && !in.active[0].until.After(at)
		if ending {
			at = in.active[0].until
		}
		if !sleepUntil(ctx, at) {
			in.skipRest(queue, false)
			return nil
		}
		if ending {
			if err := in.finish(in.active[0]); err != nil {
				return err
			}
			continue
		}
		if at.Equal(end) {
			in.skipRest(queue, true)
			return nil
		}
		due := 1
		for due < len(queue) && queue[due].next.Equal(at) {
			due++
		}
		failed, err := in.attempt(queue[:due])
		if err != nil {
			return err
		}
		queue = in.postpone(queue[due:], failed)
	}
}

// attempt begins those of the steps of one instant that can be carried out, and
// returns the others.
func (in *Injector) attempt(due []pending) (failed []pending, err error) {
	var admitted []*active
	// Those that may cost a quorum come first: the others must not strike on top
	// of them.
	for _, mayLoseQuorum := range []bool{true, false} {
		for _, p := range due {
			if p.step.Fault.LoseQuorum != mayLoseQuorum {
				continue
			}
			a, why := in.admit(p, admitted)
			if why != "" {
				p.waited = why
				failed = append(failed, p)
				continue
			}
			admitted = append(admitted, a)
		}
	}
	slices.SortFunc(admitted, func(a, b *active) int { return a.id - b.id })
	return failed, in.begin(admitted)
}

// begin begins injections at one instant of the clock. Those of kinds that strike
// together go first: they may wait for that instant, the others do not.
func (in *Injector) begin(all []*active) error {
	groups := map[string][]*active{} // of the kinds that strike together
	for _, a := range all {
		if a.kind.together != nil {
			groups[a.kind.Name] = append(groups[a.kind.Name], a)
		}
	}
	due := time.Now()
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		if err := in.beginTogether(groups[name]); err != nil {
			return err
		}
	}
	waited := time.Since(due) > 0
	for _, a := range all {
		if a.kind.together != nil {
			continue
		}
		a.traffic = in.world.Traffic(a.hosts...)
		if err := a.kind.begin(a.injection); err != nil {
			return fmt.Errorf("begin %v: %w", a.injection, err)
		}
	}
	for _, a := range all {
		if waited && a.plan.waited == "" {
			a.plan.waited = "a fault of the same instant waited for its moment"
		}
		in.began(a)
	}
	return nil
}

// beginTogether begins injections of one kind that strikes its hosts together.
func (in *Injector) beginTogether(all []*active) error {
	var hosts []string
	for _, a := range all {
		hosts = append(hosts, a.hosts...)
	}
	effects, err := all[0].kind.together(in.world, hosts...)
	if err != nil {
		return fmt.Errorf("begin %v and what is due with it: %w", all[0].injection, err)
	}
	for _, a := range all {
		for range a.hosts {
			a.effect = a.effect.Add(effects[0])
			effects = effects[1:]
		}
	}
	return nil
}

// began records the begin of an injection, and keeps it until its end.
func (in *Injector) began(a *active) {
	in.begun.Add(1)
	now := time.Now()
	fact := timeline.InjectionBegan{
		ID: a.id, Fault: a.kind.Name, Entry: a.plan.step.Entry, Target: a.fault.Target.String(), Hosts: a.hosts, Forever: a.fault.Forever,
		Planned: in.log.Since(a.plan.planned), Exact: len(a.fault.At) > 0, Waited: a.plan.waited,
	}
	if fact.Waited == "" && now.After(a.plan.planned) {
		fact.Waited = "the injector was busy with another fault"
	}
	if a.kind.Down {
		effect := a.effect
		fact.Effect = &effect
	}
	in.log.Add(fact)
	if a.fault.Forever {
		for _, h := range a.hosts {
			in.dead[h] = true
		}
		return
	}
	a.until = now.Add(a.plan.step.For)
	at := slices.IndexFunc(in.active, func(x *active) bool { return x.until.After(a.until) })
	if at < 0 {
		at = len(in.active)
	}
	in.active = slices.Insert(in.active, at, a)
}

// postpone puts steps that could not be carried out back into the queue, or
// skips them for good.
func (in *Injector) postpone(queue, failed []pending) []pending {
	for _, p := range failed {
		p.next = time.Now().Add(retryIn(p.step))
		if p.next.After(p.planned.Add(retryLimit)) {
			in.skip(p, p.waited)
			continue
		}
		i, _ := slices.BinarySearchFunc(queue, p, func(x, y pending) int { return x.next.Compare(y.next) })
		queue = slices.Insert(queue, i, p)
	}
	return queue
}

// retryIn is the time to a step's next attempt.
func retryIn(s Step) time.Duration {
	if s.Fault.Target.Class == scenarios.Joining {
		return retryJoining
	}
	return retryEvery
}

// skipRest gives up what waited in vain and, when the phase with faults is over,
// what was due at its very end.
func (in *Injector) skipRest(queue []pending, over bool) {
	for _, p := range queue {
		switch {
		case p.waited != "":
			in.skip(p, p.waited)
		case over:
			in.skip(p, "the phase with faults was over")
		}
	}
}

func (in *Injector) skip(p pending, why string) {
	in.log.Add(timeline.InjectionSkipped{ID: p.step.ID, Fault: p.step.Fault.Kind, Target: p.step.Fault.Target.String(), Forever: p.step.Fault.Forever,
		Planned: in.log.Since(p.planned), Exact: len(p.step.Fault.At) > 0, Reason: why})
}

// Heal ends all that is going on, but for what is permanent.
func (in *Injector) Heal() error {
	for len(in.active) > 0 {
		if err := in.finish(in.active[0]); err != nil {
			return err
		}
	}
	return nil
}

// Begun counts the injections so far.
func (in *Injector) Begun() int { return int(in.begun.Load()) }

// finish ends an injection and boots what it had ended.
func (in *Injector) finish(a *active) error {
	in.active = slices.DeleteFunc(in.active, func(x *active) bool { return x == a })
	if a.kind.counts != nil {
		a.effect = a.kind.counts(in.world.Traffic(a.hosts...).Sub(a.traffic))
	}
	if err := a.kind.end(a.injection); err != nil {
		return fmt.Errorf("end %v: %w", a.injection, err)
	}
	effect := a.effect
	in.log.Add(timeline.InjectionEnded{ID: a.id, Effect: &effect})
	if a.kind.Down {
		in.boot(a.hosts)
	}
	return nil
}

// boot starts the processes of hosts that are down and not to stay so. One
// that does not start on what its disk holds is a finding.
func (in *Injector) boot(hosts []string) {
	for _, h := range hosts {
		if in.dead[h] || in.world.Running(h) {
			continue
		}
		if err := in.world.Boot(h); err != nil {
			in.log.Add(timeline.BootFailed{Host: h, Error: err.Error()})
			continue
		}
		in.log.Add(timeline.Booted{Host: h})
	}
}

// sleepUntil reports whether t came before ctx ended.
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
