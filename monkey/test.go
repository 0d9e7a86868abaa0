// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/drumbeat-raft/drumbeat/monkey/application"
	"github.com/drumbeat-raft/drumbeat/monkey/engine"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/internal/testline"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
)

// Test runs the scenario with a number of seeds, and fails the test at the first
// run that does not pass: with the verdict, the table, what is wrong, where the
// report is, and a line that runs that seed again. Runs that pass leave nothing.
//
// Each run is a process of its own, which runs the test t up to this call and does
// not return from it. So what t does before should not take long, and must do
// without an open port or the like.
func Test(t *testing.T, c Config) {
	t.Helper()
	place := placeOf(t.Name())
	r := newRunner(t, c, place)
	engine.InTest(t, place, r.app)
	if engine.InChild() {
		return // it was started for another call
	}
	r.args = []string{"-test.run=" + testline.Pattern(t.Name()), "-test.timeout=0", "-test.count=1"}
	r.run(t)
}

// placeOf names a call of Test in a test: the second one in it gets another name.
func placeOf(test string) string {
	calls.Lock()
	defer calls.Unlock()
	calls.of[test]++
	return fmt.Sprintf("%s %d", test, calls.of[test])
}

var calls = struct {
	sync.Mutex
	of map[string]int
}{of: map[string]int{}}

// runner is one call of Test or Fuzz.
type runner struct {
	config Config
	app    *application.Application
	place  string
	args   []string // of the child
	pkg    string   // import path of the test's package
	first  uint64   // seed
	out    string   // where runs are kept
	name   string   // of the test, or of the input of a fuzz test

	fuzzing bool
}

func newRunner(t testing.TB, c Config, place string) *runner {
	t.Helper()
	r := &runner{config: c.withFlags(), place: place, pkg: testline.Package(), out: *outFlag, name: t.Name()}
	var err error
	if r.app, err = r.config.application(); err != nil {
		t.Fatalf("monkey: %s", err)
	}
	if err := r.config.Workload.check(r.config); err != nil {
		t.Fatalf("monkey: %s", err)
	}
	for r.first = r.config.Seed; r.first == 0; {
		r.first = uint64(rand.Uint32())
	}
	return r
}

// outcome is what came of one seed.
type outcome struct {
	seed   uint64
	result *judge.Result
	err    error
}

// run runs all seeds, some at a time, until one does not pass.
func (r *runner) run(t *testing.T) {
	t.Helper()
	if err := r.makeOut(t.Name()); err != nil {
		t.Fatalf("monkey: %s", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	seeds := make(chan uint64)
	go func() {
		defer close(seeds)
		for i := range r.config.Seeds {
			select {
			case seeds <- r.first + uint64(i):
			case <-ctx.Done():
				return
			}
		}
	}()
	outcomes := make(chan outcome)
	var working sync.WaitGroup
	for range min(r.config.Parallel, r.config.Seeds) {
		working.Go(func() {
			for seed := range seeds {
				result, err := r.one(ctx, seed, r.options(seed))
				outcomes <- outcome{seed, result, err}
			}
		})
	}
	go func() { working.Wait(); close(outcomes) }()
	over := false
	var failed *judge.Result
	for o := range outcomes {
		if over {
			r.forget(o.result) // it was interrupted
			continue
		}
		if over = !r.passed(t, o); over {
			stop()
			failed = o.result
		}
	}
	if !over {
		_ = os.Remove(r.out) // not if there is something in it
	}
	if *shrinkFlag > 0 && failed != nil && failed.Verdict == judge.Violation {
		r.shrink(t, failed)
	}
}

// makeOut makes the place for runs.
func (r *runner) makeOut(test string) error {
	if r.out == "" {
		dir, err := os.MkdirTemp("", "monkey-"+strings.Map(fileName, test)+"-")
		r.out = dir
		return err
	}
	var err error
	if r.out, err = filepath.Abs(r.out); err != nil {
		return err
	}
	return os.MkdirAll(r.out, 0o755)
}

// fileName keeps what any file may be called.
func fileName(c rune) rune {
	if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' {
		return c
	}
	return '-'
}

// one runs a seed.
func (r *runner) one(ctx context.Context, seed uint64, o harness.Options) (result *judge.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			wrong, ok := p.(impure)
			if !ok {
				panic(p)
			}
			result, err = nil, fmt.Errorf("%s", wrong.text)
		}
	}()
	return harness.Run(ctx, o)
}

// passed reports whether a run passed, and says so, or what is wrong.
func (r *runner) passed(t testing.TB, o outcome) bool {
	t.Helper()
	switch {
	case o.err != nil:
		t.Errorf("monkey: seed %d: %s", o.seed, o.err)
	case o.result.Verdict == judge.Pass:
		t.Logf("monkey: seed %d of %s: pass, %s, %d faults, %.0f virtual seconds in %.1f s",
			o.seed, o.result.Scenario, judged(o.result), effective(o.result), o.result.VirtualSeconds, o.result.WallSeconds)
		r.forget(o.result)
		return true
	default:
		t.Errorf("monkey: seed %d: %s", o.seed, story(o.result, r.expected()))
	}
	return false
}

// judged says what was judged of a test's own: its operations by its model, and its
// invariants.
func judged(r *judge.Result) string {
	var parts []string
	if r.Ops.Checked > 0 {
		parts = append(parts, fmt.Sprintf("%d operations judged", r.Ops.Checked))
	}
	for _, c := range r.Checks {
		if c.Name == "invariants" {
			parts = append(parts, "invariants: "+c.Detail)
		}
	}
	if len(parts) == 0 {
		return "no operation judged, as there is neither a model nor an invariant"
	}
	return strings.Join(parts, "; ")
}

// effective counts the faults that took effect.
func effective(r *judge.Result) int {
	n := 0
	for _, f := range r.Faults {
		n += f.Effect
	}
	return n
}

// forget removes what a run has left.
func (r *runner) forget(result *judge.Result) {
	if result == nil {
		return
	}
	_ = os.RemoveAll(result.Dir)
	_ = os.Remove(filepath.Join(r.out, "latest"))
}
