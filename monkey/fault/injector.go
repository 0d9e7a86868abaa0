// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"cmp"
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
	queue  []pending // in order of their next attempts
	follow []pending // wait for the end of others
	armed  []pending // wait for their moments
	active []*active
	over   map[int]bool // IDs of steps that have ended, or were skipped
	dead   map[string]bool
	// operations are what faults ask an operator for.
	operations operations
	begun      atomic.Int64 // injections
	hampering  atomic.Int64 // those of them that go on and hamper
	// alone is the set of steps that nothing else may go on with; 0: there is
	// none. left counts the steps of each set that are not over.
	alone int
	left  map[int]int
}

// pending is a step that has not begun.
type pending struct {
	step    Step
	planned time.Time
	next    time.Time // attempt
	waited  string    // why the last attempt failed; empty: there was none
	moment  world.Moment
}

// active is an injection that begins, or has begun and not ended.
type active struct {
	*injection
	kind    behaviour
	plan    pending
	until   time.Time
	again   time.Time    // when the kind goes on with it; zero: never
	traffic world.Effect // of its hosts, when it began
}

// Safe reports whether losing hosts, while lost are lost already, costs no Raft
// cluster a quorum that it has. If it is forever, a cluster that has none at
// present must not lose a member either: nobody knows whether it would get its
// quorum back.
type Safe func(hosts, lost []string, forever bool) bool

// NewInjector makes an injector that records what it does in log. Faults that may
// cost no quorum wait until safe says that they don't. Without an operator (nil) there
// are no faults that ask Drummer for something.
func NewInjector(w world.World, log Log, safe Safe, operator Operator) *Injector {
	return &Injector{world: w, log: log, safe: safe, links: newLinks(w), over: map[int]bool{}, dead: map[string]bool{}, left: map[int]int{},
		operations: operations{operator: operator, log: log, drained: map[string]int{}}}
}

// Run carries out steps, whose times are since start, ends those that end
// within limit, and returns when limit or ctx is over. What is still going on
// then is ended by Heal.
//
// Steps of one instant are judged together and begin together. A step that can't
// be carried out when it is due is tried again for retryLimit, and holds no other
// up but those that follow it.
func (in *Injector) Run(ctx context.Context, start time.Time, limit time.Duration, steps []Step) error {
	end := start.Add(limit)
	moments := in.schedule(start, steps)
	for {
		at := in.nextTime(end)
		m, ok := waitUntil(ctx, at, moments)
		if !ok {
			in.skipRest(false)
			return nil
		}
		var err error
		switch {
		case m.Kind != "":
			err = in.strikeAt(m)
		case in.endsBy(at) != nil:
			err = in.finish(in.endsBy(at))
		case in.goesOnBy(at) != nil:
			err = in.goOn(in.goesOnBy(at))
		case !at.Before(end):
			in.skipRest(true)
			return nil
		default:
			err = in.beginDue(at)
		}
		if err != nil {
			return err
		}
	}
}

// schedule puts steps where they wait, and returns where the moments come from
// that some of them wait for; nil if none does.
func (in *Injector) schedule(start time.Time, steps []Step) <-chan world.Moment {
	var kinds []scenarios.Moment
	for _, s := range steps {
		at := start.Add(s.At)
		p := pending{step: s, planned: at, next: at}
		in.left[s.Alone]++
		if s.When != "" && !slices.Contains(kinds, s.When) {
			kinds = append(kinds, s.When)
		}
		if len(s.Follows) > 0 {
			in.follow = append(in.follow, p)
		} else {
			in.queue = append(in.queue, p)
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	return in.world.Watch(kinds...)
}

// nextTime is when something is to be done next.
func (in *Injector) nextTime(end time.Time) time.Time {
	at := end
	if len(in.queue) > 0 && in.queue[0].next.Before(at) {
		at = in.queue[0].next
	}
	for _, a := range in.active {
		if a.until.Before(at) {
			at = a.until
		}
		if !a.again.IsZero() && a.again.Before(at) {
			at = a.again
		}
	}
	return at
}

// endsBy returns the injection that ends first, by a time; nil if none does.
func (in *Injector) endsBy(at time.Time) *active {
	var first *active
	for _, a := range in.active {
		if !a.until.After(at) && (first == nil || a.until.Before(first.until)) {
			first = a
		}
	}
	return first
}

// goesOnBy returns an injection that its kind goes on with by a time.
func (in *Injector) goesOnBy(at time.Time) *active {
	for _, a := range in.active {
		if !a.again.IsZero() && !a.again.After(at) {
			return a
		}
	}
	return nil
}

// goOn lets the kind of an injection go on with it.
func (in *Injector) goOn(a *active) error {
	next, err := a.kind.again(a.injection)
	if err != nil {
		return fmt.Errorf("go on with %v: %w", a.injection, err)
	}
	if next <= 0 {
		return in.finish(a)
	}
	a.again = time.Now().Add(next)
	return nil
}

// beginDue begins those that are due at one instant.
func (in *Injector) beginDue(at time.Time) error {
	n := 0
	for n < len(in.queue) && !in.queue[n].next.After(at) {
		n++
	}
	var due []pending
	for _, p := range in.queue[:n] {
		if p.step.When != "" {
			in.armed = append(in.armed, p)
		} else {
			due = append(due, p)
		}
	}
	in.queue = in.queue[n:]
	failed, err := in.attempt(due)
	if err != nil {
		return err
	}
	in.postpone(failed)
	return nil
}

// strikeAt begins those that waited for such a moment. Those that can't begin wait
// for the next one.
func (in *Injector) strikeAt(m world.Moment) error {
	var due, rest []pending
	for _, p := range in.armed {
		if p.step.When == m.Kind {
			p.moment, p.planned = m, m.At
			due = append(due, p)
		} else {
			rest = append(rest, p)
		}
	}
	failed, err := in.attempt(due)
	in.armed = append(rest, failed...)
	return err
}

// attempt begins those of the steps of one instant that can be carried out, and
// returns the others.
func (in *Injector) attempt(due []pending) (failed []pending, err error) {
	var admitted []*active
	// Those that may cost a quorum come first: the others must not strike on top
	// of them.
	sets := inSets(due)
	for _, mayLoseQuorum := range []bool{true, false} {
		for _, set := range sets {
			if mayLoseQuorum != slices.ContainsFunc(set, func(p pending) bool { return p.step.Fault.LoseQuorum }) {
				continue
			}
			all, why := in.admitAll(set, admitted)
			if why != "" {
				for _, p := range set {
					p.waited = why
					failed = append(failed, p)
				}
				continue
			}
			admitted = append(admitted, all...)
		}
	}
	slices.SortFunc(admitted, func(a, b *active) int { return a.id - b.id })
	return failed, in.begin(admitted)
}

// inSets splits steps into those that begin together or not at all.
func inSets(due []pending) [][]pending {
	var sets [][]pending
	for _, p := range due {
		i := slices.IndexFunc(sets, func(set []pending) bool { return p.step.Together != 0 && set[0].step.Together == p.step.Together })
		if i < 0 {
			sets = append(sets, []pending{p})
		} else {
			sets[i] = append(sets[i], p)
		}
	}
	return sets
}

// admitAll admits all of a set, or none.
func (in *Injector) admitAll(set []pending, others []*active) (all []*active, why string) {
	for _, p := range set {
		a, why := in.admit(p, slices.Concat(others, all))
		if why != "" {
			return nil, why
		}
		all = append(all, a)
	}
	return all, ""
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
		Planned: in.log.Since(a.plan.planned), Exact: a.plan.step.Exact, Waited: a.plan.waited,
	}
	if isDrawn(a.plan.step.Fault.Parameters) {
		fact.Drawn = a.kind.FormatParameters(a.fault.Parameters)
	}
	if fact.Waited == "" && now.After(a.plan.planned) {
		fact.Waited = "the injector was busy with another fault"
	}
	if a.kind.Down {
		effect := a.effect
		fact.Effect = &effect
	}
	in.log.Add(fact)
	if a.kind.hampers {
		in.hampering.Add(1)
	}
	in.alone = cmp.Or(a.plan.step.Alone, in.alone)
	if a.fault.Forever {
		for _, h := range a.hosts {
			in.dead[h] = true
		}
		in.isOver(a.plan.step)
		return
	}
	if a.kind.Instant {
		effect := a.effect
		in.log.Add(timeline.InjectionEnded{ID: a.id, Effect: &effect})
		in.isOver(a.plan.step)
		return
	}
	a.until = now.Add(a.plan.step.For)
	if a.kind.again != nil {
		a.again = now.Add(a.first)
	}
	in.active = append(in.active, a)
}

// isOver notes that a step has ended or was skipped, and queues those that only
// waited for it.
func (in *Injector) isOver(s Step) {
	in.over[s.ID] = true
	if in.left[s.Alone]--; s.Alone != 0 && in.left[s.Alone] == 0 && in.alone == s.Alone {
		in.alone = 0
	}
	in.follow = slices.DeleteFunc(in.follow, func(p pending) bool {
		if slices.ContainsFunc(p.step.Follows, func(id int) bool { return !in.over[id] }) {
			return false
		}
		p.planned = time.Now().Add(p.step.Gap)
		p.next = p.planned
		in.enqueue(p)
		return true
	})
}

func (in *Injector) enqueue(p pending) {
	i, _ := slices.BinarySearchFunc(in.queue, p, func(x, y pending) int { return x.next.Compare(y.next) })
	in.queue = slices.Insert(in.queue, i, p)
}

// postpone puts steps that could not be carried out back into the queue, or
// skips them for good.
func (in *Injector) postpone(failed []pending) {
	for _, p := range failed {
		p.next = time.Now().Add(retryIn(p.step))
		if p.next.After(p.planned.Add(retryLimit)) {
			in.skip(p, p.waited)
			continue
		}
		in.enqueue(p)
	}
}

// retryIn is the time to a step's next attempt.
func retryIn(s Step) time.Duration {
	if s.Fault.Target.Class == scenarios.Joining {
		return retryJoining
	}
	return retryEvery
}

// skipRest gives up what waited in vain and, when the phase with faults is over,
// what was due at its very end or whose moment did not come.
func (in *Injector) skipRest(over bool) {
	for _, p := range slices.Concat(in.queue, in.armed, in.follow) {
		switch {
		case p.waited != "":
			in.skip(p, p.waited)
		case over && len(p.step.Follows) > 0 && !in.over[p.step.Follows[0]]:
			in.skip(p, "what comes before it was not over in time")
		case over && p.step.When != "":
			in.skip(p, "its moment did not come")
		case over:
			in.skip(p, "the phase with faults was over")
		}
	}
	in.queue, in.armed, in.follow = nil, nil, nil
}

func (in *Injector) skip(p pending, why string) {
	in.log.Add(timeline.InjectionSkipped{ID: p.step.ID, Fault: p.step.Fault.Kind, Target: p.step.Fault.Target.String(), Forever: p.step.Fault.Forever,
		Planned: in.log.Since(p.planned), Exact: p.step.Exact, Reason: why})
	in.isOver(p.step)
}

// Heal ends all that is going on, but for what is permanent, and waits for what was
// asked of Drummer.
func (in *Injector) Heal() error {
	defer in.operations.running.Wait()
	for len(in.active) > 0 {
		first := slices.MinFunc(in.active, func(a, b *active) int { return a.until.Compare(b.until) })
		if err := in.finish(first); err != nil {
			return err
		}
	}
	return nil
}

// Begun counts the injections so far.
func (in *Injector) Begun() int { return int(in.begun.Load()) }

// Hampers reports whether an injection goes on that slows hosts or links down, or loses
// some of what is sent, without ending anything. It is safe for concurrent use.
func (in *Injector) Hampers() bool { return in.hampering.Load() > 0 }

// finish ends an injection and boots what it had ended.
func (in *Injector) finish(a *active) error {
	in.active = slices.DeleteFunc(in.active, func(x *active) bool { return x == a })
	if a.kind.hampers {
		in.hampering.Add(-1)
	}
	if a.kind.counts != nil {
		a.effect = a.effect.Add(a.kind.counts(in.world.Traffic(a.hosts...).Sub(a.traffic)))
	}
	close(a.asked.over)
	if err := a.kind.end(a.injection); err != nil {
		return fmt.Errorf("end %v: %w", a.injection, err)
	}
	effect := a.effect
	if slices.Contains(a.kind.Effect, "requests_accepted") {
		effect.RequestsAccepted += a.asked.accepted.Load()
	}
	in.log.Add(timeline.InjectionEnded{ID: a.id, Effect: &effect})
	if a.kind.Down {
		in.boot(a.hosts)
	}
	in.isOver(a.plan.step)
	return nil
}

// boot starts the processes of hosts that are down and not to stay so.
func (in *Injector) boot(hosts []string) {
	for _, h := range hosts {
		held := slices.ContainsFunc(in.active, func(a *active) bool { return a.kind.Down && !a.kind.restarts && slices.Contains(a.hosts, h) })
		if in.dead[h] || held || in.world.Running(h) {
			continue
		}
		if bootHost(in.world, in.log, h) {
			in.log.Add(timeline.Booted{Host: h})
		}
	}
}

// waitUntil waits for a time, or for a moment before it. It reports whether one of
// them came before ctx ended.
func waitUntil(ctx context.Context, t time.Time, moments <-chan world.Moment) (world.Moment, bool) {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return world.Moment{}, true
	case m := <-moments:
		return m, true
	case <-ctx.Done():
		return world.Moment{}, false
	}
}
