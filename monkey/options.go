// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/internal/testline"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// scenarioInText is what a scenario is called that is no file.
const scenarioInText = "Config.Scenario"

// options are those of a run with a seed. It is exact if the test was built with the
// overlay that makes it so.
func (r *runner) options(seed uint64) harness.Options {
	o := harness.Options{
		File: r.config.Scenario, Seed: seed, World: harness.WorldSim, Clock: harness.ClockVirtual,
		Duration: duration(), Out: r.out, Exact: exact.Built() == nil,
		Change: r.change,
		Guest:  r.guest(),
	}
	if isText(o.File) {
		o.File, o.Text = scenarioInText, o.File
	}
	return o
}

// guest is what the runs are about.
func (r *runner) guest() *harness.Guest {
	return &harness.Guest{Place: r.place, Args: r.args, Versions: r.app.HasVersions(), Model: r.model, Reproduce: r.reproduce}
}

func (r *runner) model() model.Model {
	if r.config.Model == nil {
		return nil
	}
	return r.config.Model.judge()
}

// expected returns what says which answer was expected, if the model can tell.
func (r *runner) expected() func(core []history.Op) string {
	if m, ok := r.model().(interface {
		expected(core []history.Op) string
	}); ok {
		return m.expected
	}
	return nil
}

// change makes the scenario one about the state machine that is tested, and short if
// that is asked for.
func (r *runner) change(s *scenarios.Scenario) error {
	if err := r.adapt(s); err != nil {
		return err
	}
	if (testing.Short() || r.fuzzing) && duration() == 0 {
		shorten(s)
	}
	return nil
}

// adapt makes the scenario one about the state machine that is tested.
func (r *runner) adapt(s *scenarios.Scenario) error {
	switch {
	case s.Clusters.Bug != nil:
		return fmt.Errorf("the scenario %s plants a bug in the state machines that come along, which are not tested here. Take clusters.bug out", s.Name)
	case len(s.Workload.Operations) > 0:
		return fmt.Errorf("the scenario %s gives operations on keys, which the state machine that is tested does not know. Take workload.operations out", s.Name)
	}
	s.Checks.Disable("writes") // it takes reads of every key after healing
	if r.config.Host != nil {  // its replicas can't be looked at, and its labels are its own
		s.Checks.Disable("placement")
		s.Checks.Disable("divergence")
		s.Checks.Disable("digests")
	}
	if kinds := r.app.Kinds(); kinds != "" && !strings.Contains(kinds, ",") {
		s.Clusters.StateMachine = kinds
	}
	if s.Clusters.StateMachine == "ondisk" {
		s.Workload.Sessions = "noop"
	}
	if r.config.Model == nil {
		s.Checks.Disable(invariant.Linearizability)
	}
	return nil
}

// How long a scenario is with -short, and how far apart its faults are then.
const (
	shortDuration = scenarios.Duration(90 * time.Second)
	shortWarmup   = scenarios.Duration(10 * time.Second)
	shortEvery    = scenarios.Duration(15 * time.Second)
	shortFor      = scenarios.Duration(10 * time.Second)
)

// shorten makes a scenario short: the same faults, in less time. What it expects
// and calls enough was said of the long one.
func shorten(s *scenarios.Scenario) {
	if s.Duration <= shortDuration {
		return
	}
	ratio := float64(shortDuration) / float64(s.Duration)
	scale := func(d scenarios.Duration) scenarios.Duration {
		return scenarios.Duration(time.Duration(float64(d) * ratio).Round(time.Second))
	}
	s.Duration, s.Warmup = shortDuration, min(s.Warmup, shortWarmup)
	for i := range s.Faults {
		f := &s.Faults[i]
		f.After, f.Before, f.AtLeast = scale(f.After), scale(f.Before), 0
		if f.Every > 0 {
			f.Every = max(scale(f.Every), shortEvery)
		}
		for n := range f.At {
			f.At[n] = scale(f.At[n])
		}
		f.For.Min, f.For.Max = min(f.For.Min, shortFor), min(f.For.Max, shortFor)
	}
	for i := range s.Actions {
		s.Actions[i].At = scale(s.Actions[i].At)
	}
	s.Expect = nil
	s.Checks.Disable("evidence")
}

// withOverlay has the go command build a test whose runs are exact.
const withOverlay = `-overlay "$(go run github.com/drumbeat-raft/drumbeat/cmd/monkey overlay)"`

// reproduce is the shell line that runs a seed of a scenario again: the test's, or
// one in a file, which is taken as it is.
func (r *runner) reproduce(file string, seed uint64) string {
	words, own := []string{"go test"}, file == scenarioInText || file == r.config.Scenario
	if own {
		file = *scenarioFlag
	}
	if exact.Built() == nil {
		words = append(words, withOverlay)
	}
	if own && testing.Short() {
		words = append(words, "-short")
	}
	words = append(words, fmt.Sprintf("-run '%s' %s", testline.Pattern(r.name), r.pkg))
	if r.fuzzing {
		return strings.Join(words, " ") // the input has the seed
	}
	words = append(words, fmt.Sprintf("-monkey.seed=%d", seed))
	if file != "" {
		words = append(words, "-monkey.scenario="+quote(file))
	}
	if own && duration() > 0 {
		words = append(words, fmt.Sprintf("-monkey.duration=%s", duration()))
	}
	return strings.Join(words, " ")
}

// quote makes a word safe for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
