// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// patience bounds how long an injection waits for a target that runs and whose
// loss costs no quorum.
const (
	patience   = 90 * time.Second
	retryEvery = time.Second
	joinPoll   = 10 * time.Millisecond
)

// Injector carries out a plan on a world. All methods but Begun are called from one
// goroutine at a time, but for Begun.
type Injector struct {
	w      world.World
	events *timeline.Log
	safe   func(hosts []string) bool
	links  *links
	start  time.Time    // of the phase with faults
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
func NewInjector(w world.World, events *timeline.Log, safe func(hosts []string) bool) *Injector {
	return &Injector{w: w, events: events, safe: safe, links: newLinks(w), dead: map[string]bool{}}
}

// Run carries out steps, whose times are since start, ends those that end
// within limit, and returns when limit or ctx is over. What is still going on
// then is ended by Heal. A step that can't be carried out when it is due is
// tried again for a while, and holds no other up.
func (in *Injector) Run(ctx context.Context, start time.Time, limit time.Duration, steps []Step) error {
	in.start = start
	end := start.Add(limit)
	queue := make([]due, len(steps)) // in order of their times
	for i, s := range steps {
		at := start.Add(s.At)
		queue[i] = due{s, at, at.Add(patience)}
	}
	for {
		at := end
		if len(queue) > 0 && queue[0].at.Before(at) {
			at = queue[0].at
		}
		ending := len(in.active) > 0 && in.active[0].until.Before(at)
		if ending {
			at = in.active[0].until
		}
		if !sleepUntil(ctx, at) || at.Equal(end) {
			in.skipAll(queue)
			return nil
		}
		var err error
		if ending {
			err = in.finish(in.active[0])
		} else {
			d := queue[0]
			queue, err = in.attempt(queue[1:], d)
		}
		if err != nil {
			return err
		}
	}
}

// due is a step and when it is to be tried next, and for the last time.
type due struct {
	step     Step
	at, last time.Time
}

// attempt begins a step if it can, and otherwise puts it back into the queue.
func (in *Injector) attempt(queue []due, d due) ([]due, error) {
	hosts, why := in.targets(d.step)
	if why == "" {
		return queue, in.begin(d.step, hosts)
	}
	if d.at = d.at.Add(retryIn(d.step)); d.at.After(d.last) {
		in.skip(d.step, why)
		return queue, nil
	}
	i, _ := slices.BinarySearchFunc(queue, d, func(x, y due) int { return x.at.Compare(y.at) })
	return slices.Insert(queue, i, d), nil
}

// retryIn is how long a step waits for its next attempt. A member joins within
// the blink of an eye, so whoever wants to catch it looks often.
func retryIn(s Step) time.Duration {
	if s.Fault.Target.Class == scenarios.Joining {
		return joinPoll
	}
	return retryEvery
}

// skipAll gives up what was due before the end and waited in vain.
func (in *Injector) skipAll(queue []due) {
	for _, d := range queue {
		if waited := !d.at.Equal(d.last.Add(-patience)); waited {
			_, why := in.targets(d.step)
			in.skip(d.step, why)
		}
	}
}

func (in *Injector) skip(s Step, why string) {
	in.events.Add(timeline.InjectionSkipped{ID: s.ID, Fault: s.Fault.Kind, Target: s.Fault.Target.String(), Planned: in.planned(s), Reason: why})
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

// begin starts an injection.
func (in *Injector) begin(s Step, hosts []string) error {
	kind, _ := scenarios.KindOf(s.Fault.Kind)
	how, err := behaviourOf(s.Fault.Kind)
	if err != nil {
		return err
	}
	j := &injection{step: s, kind: kind, how: how, traffic: in.w.Traffic(hosts...)}
	j.act = act{w: in.w, links: in.links, rng: rand.New(rand.NewPCG(s.Seed, 0)), id: s.ID, hosts: hosts, fault: s.Fault}
	if j.effect, err = how.begin(&j.act); err != nil {
		return fmt.Errorf("fault %d (%s on %v): %w", s.ID, kind.Name, hosts, err)
	}
	in.begun.Add(1)
	began := timeline.InjectionBegan{ID: j.id, Fault: kind.Name, Target: s.Fault.Target.String(), Hosts: hosts,
		Forever: s.Fault.Forever, Planned: in.planned(s)}
	if kind.Down {
		began.Effect = &j.effect
	}
	in.events.Add(began)
	in.started(j)
	return nil
}

// cutOff lists the hosts that run but are kept from talking by a fault that
// goes on.
func (in *Injector) cutOff() []string {
	var hosts []string
	for _, j := range in.active {
		if j.kind.Needs == scenarios.CanCut && keepsFromPeers(j.fault) {
			hosts = append(hosts, j.hosts...)
		}
	}
	return hosts
}

// targets names whom a step strikes now. They may be struck: they run and,
// unless the scenario says otherwise, no quorum depends on them. Otherwise why
// says what is missing.
func (in *Injector) targets(s Step) (hosts []string, why string) {
	hosts, why = in.resolve(s)
	if why != "" {
		return nil, why
	}
	for _, h := range hosts {
		if !in.w.Running(h) {
			return nil, fmt.Sprintf("host %s does not run", h)
		}
	}
	if !s.Fault.LoseQuorum && keepsFromPeers(s.Fault) && !in.safe(slices.Concat(hosts, in.cutOff())) {
		return nil, fmt.Sprintf("losing %v would cost a cluster its quorum", hosts)
	}
	return hosts, ""
}

// keepsFromPeers tells whether a fault can keep the nodes of a Raft cluster
// from each other. A cut between Drummers and NodeHosts does not.
func keepsFromPeers(f *scenarios.Fault) bool { return f.Split != "drummers" }

// resolve names a step's targets: hosts drawn by the plan, or those that play
// a part now.
func (in *Injector) resolve(s Step) (hosts []string, why string) {
	if s.Fault.Split == "drummers" {
		return in.drummers(), ""
	}
	switch s.Fault.Target.Class {
	case scenarios.DrummerLeader:
		if h, ok := in.w.DrummerLeader(); ok {
			return []string{h}, ""
		}
		return nil, "no Drummer server leads"
	case scenarios.ClusterLeader:
		if h, ok := in.w.ClusterLeader(s.Cluster); ok {
			return []string{h}, ""
		}
		return nil, fmt.Sprintf("cluster %d has no leader", s.Cluster)
	case scenarios.Joining:
		if h, ok := in.w.JoiningHost(); ok {
			return []string{h}, ""
		}
		return nil, "no new member is catching up"
	}
	if len(s.Hosts) == 0 {
		return nil, "every possible target is dead for ever"
	}
	return s.Hosts, ""
}

// drummers lists the hosts whose Drummer server runs.
func (in *Injector) drummers() []string {
	var hosts []string
	for _, h := range in.w.Hosts() {
		if h.Role == world.Drummer && in.w.Running(h.Name) {
			hosts = append(hosts, h.Name)
		}
	}
	return hosts
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
	in.events.Add(timeline.InjectionEnded{ID: j.id, Effect: &j.effect})
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
		if err := in.w.Boot(h); err != nil {
			in.events.Add(timeline.BootFailed{Host: h, Error: err.Error()})
			continue
		}
		in.events.Add(timeline.Booted{Host: h})
	}
}

// planned is when a step should begin, since the start of the run.
func (in *Injector) planned(s Step) time.Duration { return in.events.Since(in.start.Add(s.At)) }

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
