// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Config says what a state machine is tested with. Only Command is required.
type Config struct {
	// Command makes one command for Update. It must depend on r alone, as logs
	// are made again from the same random numbers. Let it draw from few keys,
	// so that commands meet; the lower a number is, the simpler the command
	// that is made of it should be, as shrinking lowers them. For a generator
	// of pgregory.net/rapid use gen.Example(int(r.Uint32())).
	Command func(r *rand.Rand) []byte
	// Query makes one query for Lookup, in the same way. Answers are compared
	// between replicas, by what they contain: only queries whose answer depends
	// on nothing but the state are of use.
	Query func(r *rand.Rand) any
	// Digest returns the state of a replica as text, equal for equal states. It
	// gets what the factory returned. Where it is nil, GetHash is used if the
	// state machine implements Dragonboat's IHash, and otherwise the bytes of a
	// snapshot if they are the same each time that one is saved. Where they
	// aren't, only answers to queries are compared.
	Digest func(machine any) string
	// Describe returns a command as text for messages. nil: quoted bytes.
	Describe func(command []byte) string

	// Runs is how many logs are made, each of which all checks are made with;
	// 0: 100, or 25 of OnDiskDir, and a tenth of them with -short. The flag
	// -smtest.runs is used in place of it.
	Runs int
	// Commands is the length of the longest log; 0: 30.
	Commands int
	// Seed is that of the first log, and the next ones follow on; 0: a random
	// one. The flag -smtest.seed is used in place of it.
	Seed uint64
	// StopWithin is how many bytes SaveSnapshot may write and
	// RecoverFromSnapshot read after their stop channel is closed; 0: 1 MiB.
	StopWithin int
	// Timeout is how long one check of one log may take before a call is taken
	// to hang; 0: 20 s.
	Timeout time.Duration
	// TornFiles lets a power loss keep what was written since the last Sync in
	// some files and drop it in others, for OnDiskDir. Real disks do that, but
	// the kit can't see which files a state machine has synced by itself: set
	// it only where none is synced outside Sync. OnDisk needs no such flag.
	TornFiles bool
	// RealTime leaves out the replica that runs in a testing/synctest bubble,
	// on a clock of its own, for state machines that can't, as they share
	// goroutines or channels with what is outside.
	RealTime bool
}

const (
	defaultRuns       = 100
	shortRunsDivisor  = 10
	defaultCommands   = 30
	defaultStopWithin = 1 << 20
	defaultTimeout    = 20 * time.Second
)

var (
	seedFlag = flag.Uint64("smtest.seed", 0, "smtest: seed of the first log; 0: as the test says, or a random one")
	runsFlag = flag.Int("smtest.runs", 0, "smtest: number of logs; 0: as the test says")
)

// Run checks a state machine, and fails the test at the first way in which it
// breaks Dragonboat's contract.
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
	if c.Runs = cmp.Or(*runsFlag, c.Runs); c.Runs == 0 {
		c.Runs = defaultRuns
		if m.slow {
			c.Runs /= slowDivisor
		}
		if testing.Short() {
			c.Runs /= shortRunsDivisor
		}
	}
	c.Commands = cmp.Or(c.Commands, defaultCommands)
	c.StopWithin = cmp.Or(c.StopWithin, defaultStopWithin)
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	if c.Describe == nil {
		c.Describe = func(command []byte) string { return fmt.Sprintf("%q", command) }
	}
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
		ended := any(aborted{"the state machine ended the goroutine that called it"})
		defer func() { done <- ended }()
		defer func() {
			if v := recover(); v != nil {
				ended = v
			}
		}()
		func() {
			defer t.end()
			c.run(t)
			ended = nil
		}()
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
	case aborted:
		k.t.Fatalf("smtest: %s", v.why)
	}
	panic(v)
}

// canBubble reports whether this test can make synctest bubbles: it is a
// *testing.T, and not in one itself.
func (k *kit) canBubble() (can bool) {
	t, ok := k.t.(*testing.T)
	if !ok {
		return false
	}
	defer func() {
		if recover() != nil {
			can = false
		}
	}()
	synctest.Test(t, func(*testing.T) {})
	return true
}

// inAnotherTime runs f in a bubble, where time is virtual, if there can be one.
func (t *trial) inAnotherTime(f func()) {
	if !t.kit.bubbles {
		return
	}
	var failed *failure
	ended := false
	deadlock := func() (v any) {
		defer func() { v = recover() }()
		synctest.Test(t.kit.t.(*testing.T), func(*testing.T) {
			failed = failing(f)
			ended = true
		})
		return nil
	}()
	switch {
	case failed != nil:
		panic(failed)
	case deadlock != nil && !ended: // what is left over afterwards is for another check
		t.fail("The state machine waits for something that never comes.\n%v", deadlock)
	}
}

// reproduce is how a failure is made to happen again.
func (k *kit) reproduce(seed uint64) string {
	var names []string
	for name := range strings.SplitSeq(k.t.Name(), "/") {
		names = append(names, "^"+name+"$")
	}
	return fmt.Sprintf("Reproduce\n  go test -run '%s' %s -smtest.seed=%d\n", strings.Join(names, "/"), testPackage(), seed)
}

// testPackage is the import path of the package that the running test is in.
func testPackage() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	path := "."
	for {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, "testing.") || !more {
			return strings.TrimSuffix(path, "_test")
		}
		slash := strings.LastIndexByte(frame.Function, '/') + 1
		name, _, _ := strings.Cut(frame.Function[slash:], ".")
		path = frame.Function[:slash] + name
	}
}
