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
	safe   func(hosts []string) bool
	links  *links
	active []*active // in order of their end
	dead   map[string]bool
	begun  atomic.Int64 // injections
}

// active is an injection that has begun and not ended.
type active struct {
	*injection
	kind    behaviour
	until   time.Time
	traffic world.Effect // of its hosts, when it began
}

// NewInjector makes an injector that records what it does in log. safe reports
// whether losing the given hosts now leaves every Raft cluster its quorum; faults
// that may not cost one wait for it.
func NewInjector(w world.World, log Log, safe func(hosts []string) bool) *Injector {
	return &Injector{world: w, log: log, safe: safe, links: newLinks(w), dead: map[string]bool{}}
}

// pending is a step that has not begun.
type pending struct {
	step    Step
	planned time.Time
	next    time.Time // attempt
	waited  string    // why the last attempt failed; empty: there was none
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
	var begin []*admitted
	// Those that may cost a quorum come first: the others must not strike on top
	// of them.
	slices.SortStableFunc(due, func(a, b pending) int { return boolOrder(b.step.Fault.LoseQuorum, a.step.Fault.LoseQuorum) })
	for _, p := range due {
		i, why := in.admit(p.step, begin)
		if why != "" {
			p.waited = why
			failed = append(failed, p)
			continue
		}
		begin = append(begin, &admitted{active: i, pending: p})
	}
	slices.SortStableFunc(begin, func(a, b *admitted) int { return a.id - b.id })
	return failed, in.begin(begin)
}

// boolOrder orders false before true.
func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// admitted is an injection that is about to begin.
type admitted struct {
	*active
	pending pending
}

// admit finds the hosts of a step, which strikes at one instant with others. They
// may be struck: they run and, unless the scenario says otherwise, no quorum
// depends on them. Otherwise why says what is missing.
func (in *Injector) admit(s Step, others []*admitted) (a *active, why string) {
	kind, ok := behaviours[s.Fault.Kind]
	if !ok {
		return nil, fmt.Sprintf("there is no kind of fault %q", s.Fault.Kind)
	}
	targets, why := in.targets(s)
	if why != "" {
		return nil, why
	}
	i := &injection{id: s.ID, fault: s.Fault, hosts: targets, world: in.world, links: in.links, rng: rand.New(rand.NewPCG(s.Seed, 0))}
	i.hosts = kind.hosts(i)
	if len(i.hosts) == 0 {
		return nil, "none of the hosts that it strikes runs"
	}
	for _, h := range targets {
		switch {
		case !slices.Contains(i.hosts, h): // the kind has others
		case !in.world.Running(h):
			return nil, fmt.Sprintf("host %s does not run", h)
		case slices.ContainsFunc(others, func(o *admitted) bool { return o.kind.Down && slices.Contains(o.hosts, h) }):
			return nil, fmt.Sprintf("host %s goes down at the same instant", h)
		}
	}
	if !s.Fault.LoseQuorum && !kind.sparesPeers(s.Fault) && !in.safe(slices.Concat(i.hosts, in.unreachable(others))) {
		return nil, fmt.Sprintf("losing %v would cost a cluster its quorum", i.hosts)
	}
	return &active{injection: i, kind: kind}, ""
}

// unreachable lists the hosts that run, but that peers cannot count on: a fault
// that goes on cuts them off, or one that is about to begin strikes them.
func (in *Injector) unreachable(beginning []*admitted) []string {
	var hosts []string
	for _, a := range in.active {
		if a.kind.Needs == scenarios.CanCut && !a.kind.sparesPeers(a.fault) {
			hosts = append(hosts, a.hosts...)
		}
	}
	for _, a := range beginning {
		if a.kind.Down || a.kind.Needs == scenarios.CanCut && !a.kind.sparesPeers(a.fault) {
			hosts = append(hosts, a.hosts...)
		}
	}
	return hosts
}

// targets names a step's targets: hosts drawn by the plan, or those that play a
// part now.
func (in *Injector) targets(s Step) (hosts []string, why string) {
	switch s.Fault.Target.Class {
	case scenarios.DrummerLeader:
		if h, ok := in.world.DrummerLeader(); ok {
			return []string{h}, ""
		}
		return nil, "no Drummer server leads"
	case scenarios.ClusterLeader:
		if h, ok := in.world.ClusterLeader(s.Cluster); ok {
			return []string{h}, ""
		}
		return nil, fmt.Sprintf("cluster %d has no leader", s.Cluster)
	case scenarios.Joining:
		if h, ok := in.world.JoiningHost(); ok {
			return []string{h}, ""
		}
		return nil, "no new member is catching up"
	}
	if len(s.Hosts) == 0 {
		return nil, "every possible target is dead for ever"
	}
	return s.Hosts, ""
}

// begin begins injections at one instant of the clock. Those of kinds that strike
// together go first: they may wait for that instant, the others do not.
func (in *Injector) begin(all []*admitted) error {
	groups := map[string][]*admitted{}
	var names []string
	for _, a := range all {
		if name := a.kind.Name; a.kind.together != nil {
			if groups[name] == nil {
				names = append(names, name)
			}
			groups[name] = append(groups[name], a)
		}
	}
	for _, name := range names {
		if err := in.together(groups[name]); err != nil {
			return err
		}
	}
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
		in.began(a)
	}
	return nil
}

// together begins injections of a kind that strikes several hosts at once.
func (in *Injector) together(all []*admitted) error {
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
func (in *Injector) began(a *admitted) {
	in.begun.Add(1)
	fact := timeline.InjectionBegan{
		ID: a.id, Fault: a.kind.Name, Target: a.fault.Target.String(), Hosts: a.hosts, Forever: a.fault.Forever,
		Planned: in.log.Since(a.pending.planned), Waited: a.pending.waited,
	}
	if fact.Waited == "" && time.Now().After(a.pending.planned) {
		fact.Waited = "the injector waited for a power loss to strike, or for a host to boot"
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
	a.until = time.Now().Add(a.pending.step.For)
	i, _ := slices.BinarySearchFunc(in.active, a.active, func(x, y *active) int {
		if x.until.After(y.until) {
			return 1
		}
		return -1 // behind those that end at the same time
	})
	in.active = slices.Insert(in.active, i, a.active)
}

// postpone puts steps that could not be carried out back into the queue, or
// skips them for good.
func (in *Injector) postpone(queue, failed []pending) []pending {
	for _, p := range failed {
		wait := retryEvery
		if p.step.Fault.Target.Class == scenarios.Joining {
			wait = retryJoining
		}
		if p.next = time.Now().Add(wait); p.next.After(p.planned.Add(retryLimit)) {
			in.skip(p, p.waited)
			continue
		}
		i, _ := slices.BinarySearchFunc(queue, p, func(x, y pending) int { return x.next.Compare(y.next) })
		queue = slices.Insert(queue, i, p)
	}
	return queue
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
	in.log.Add(timeline.InjectionSkipped{ID: p.step.ID, Fault: p.step.Fault.Kind, Target: p.step.Fault.Target.String(),
		Planned: in.log.Since(p.planned), Reason: why})
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
	in.log.Add(timeline.InjectionEnded{ID: a.id, Effect: &a.effect})
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
