// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"
)

// Run checks a state machine, and fails the test at the first way in which it
// breaks Dragonboat's contract. Tests that run in parallel may call it; what it
// starts has ended when it returns, unless a call of the state machine hangs.
func Run(t testing.TB, m Machine, c Config) {
	t.Helper()
	k := newKit(t, m, c)
	seed := cmp.Or(*seedFlag, c.Seed)
	for seed == 0 {
		seed = uint64(rand.Uint32())
	}
	f, at := k.search(seed)
	switch {
	case f != nil:
		t.Fatalf("%s%s", f.text(k.config.Describe), k.reproduce(at))
	case len(k.states) < 2:
		t.Fatalf("smtest: nothing was tested: in %d runs from seed %d no command changed the state or what a query answers.\nLook at Config.Command, or give a Config.Query or Config.Digest that shows what commands do.", k.config.Runs, seed)
	default:
		t.Logf("smtest: %d runs from seed %d, states compared by %v: nothing found", k.config.Runs, seed, k.digests)
	}
}

// kit is one call of Run.
type kit struct {
	t       testing.TB
	machine Machine
	config  Config
	dir     string
	hasHash bool
	digests digests
	bubbles bool // a synctest bubble can be made

	shrinking bool
	trials    int
	states    map[string]bool // some that were seen: one means that nothing happens
}

// digests says how states are compared, besides by the answers to queries.
type digests int

const (
	byQueries digests = iota // by them only
	byConfig
	byHash
	bySnapshot
)

func (d digests) String() string {
	return [...]string{"answers to queries only", "Config.Digest", "GetHash", "the bytes of snapshots"}[d]
}

func newKit(t testing.TB, m Machine, c Config) *kit {
	t.Helper()
	switch {
	case m.make == nil:
		t.Fatalf("smtest: Run was given no state machine. Make one with Regular, Concurrent, OnDisk or OnDiskDir")
	case c.Command == nil:
		t.Fatalf("smtest: Config.Command is nil. It makes the commands of the log")
	case c.Runs < 0 || c.Commands < 0 || c.StopWithin < 0 || c.Timeout < 0:
		t.Fatalf("smtest: found a negative number in Config, expected at least 0: Runs %d, Commands %d, StopWithin %d, Timeout %v", c.Runs, c.Commands, c.StopWithin, c.Timeout)
	}
	c = c.withDefaults(m)
	return &kit{t: t, machine: m, config: c, dir: t.TempDir(), states: map[string]bool{}}
}

// aborted is why the kit can't go on, which is not the state machine's fault.
type aborted struct{ why string }

// abort ends the test from within a trial.
func (k *kit) abort(format string, args ...any) { panic(aborted{fmt.Sprintf(format, args...)}) }

// search makes all checks of one log after the other, and returns the first
// failure, with the seed of its log.
func (k *kit) search(seed uint64) (*failure, uint64) {
	k.t.Helper()
	if f := k.examine(seed); f != nil {
		return f, seed
	}
	for i := range uint64(k.config.Runs) {
		c := newCase(seed+i, k.config.Commands)
		for _, check := range checks {
			if check.kinds&k.machine.kind == 0 {
				continue
			}
			if o := k.try(check, c); o.failure != nil {
				return k.shrink(check, o), seed + i
			}
		}
	}
	return nil, 0
}

// examine finds out how states can be compared and whether time can be virtual.
// A state machine may fail even that.
func (k *kit) examine(seed uint64) *failure {
	k.t.Helper()
	k.bubbles = !k.config.RealTime && k.canBubble()
	first := newCase(seed, k.config.Commands)
	a, _ := k.entriesOf(first)
	b, _ := k.entriesOf(first)
	for i := range a {
		if !bytes.Equal(a[i].cmd, b[i].cmd) {
			k.t.Fatalf("smtest: Config.Command made %q and then %q of the same random numbers. It must depend on its *rand.Rand alone, and mustn't range over a map.", a[i].cmd, b[i].cmd)
		}
	}
	k.digests = bySnapshot
	if k.config.Digest != nil {
		k.digests = byConfig
	}
	for range min(examined, k.config.Runs) {
		if o := k.try(&examination, newCase(seed, k.config.Commands)); o.failure != nil {
			return k.shrink(&examination, o)
		}
		seed++
	}
	if k.digests == byQueries && k.config.Query == nil {
		k.t.Fatalf("smtest: there is no way to compare two states: snapshots of one state differ (the order of a map?), and there is no GetHash, Config.Digest or Config.Query. Give one of them.")
	}
	return nil
}

// outcome is what came of a trial.
type outcome struct {
	failure  *failure // nil: nothing was wrong
	testCase testCase // with what was drawn
}

// try makes one check of one test case.
func (k *kit) try(c *check, tc testCase) outcome {
	k.t.Helper()
	k.trials++
	plan := tc.plan.choices()
	t := &trial{kit: k, check: c, queries: k.queriesOf(tc), plan: rand.New(plan), dir: filepath.Join(k.dir, fmt.Sprint(k.trials))}
	t.log, tc.commands = k.entriesOf(tc)
	done := make(chan any, 1) // what the trial panicked with
	go func() {
		var ended any = aborted{"the state machine ended the goroutine that called it"}
		defer func() { done <- ended }()
		defer func() {
			switch v := recover().(type) {
			case nil:
			case *failure, aborted:
				ended = v
			default:
				panic(v)
			}
		}()
		defer t.end()
		c.run(t)
		ended = nil
	}()
	timeout := time.NewTimer(k.config.Timeout)
	defer timeout.Stop()
	select {
	case v := <-done:
		tc.plan.given = plan.drawn
		return outcome{k.failureOf(v, t), tc}
	case <-timeout.C:
		t.mu.Lock()
		defer t.mu.Unlock()
		what := fmt.Sprintf("%s didn't return within %v (Config.Timeout).", cmp.Or(t.doing, "The check"), k.config.Timeout)
		return outcome{&failure{check: c, what: what, log: t.log, steps: t.steps, hangs: true}, tc}
	}
}

// failureOf is the failure that a trial panicked with, if it is one.
func (k *kit) failureOf(v any, t *trial) *failure {
	k.t.Helper()
	switch v := v.(type) {
	case nil:
		for _, s := range t.after {
			if len(k.states) < 2 {
				k.states[render(s)] = true
			}
		}
		return nil
	case *failure:
		return v
	default:
		k.t.Fatalf("smtest: %s", v.(aborted).why)
		return nil
	}
}
