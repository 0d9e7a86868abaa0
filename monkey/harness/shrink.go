// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/report"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/shrink"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// ShrinkOptions is what Shrink is made from.
type ShrinkOptions struct {
	// Dir is the directory of a run that found a violation.
	Dir string
	// Out is the directory that gets the smallest scenario and a run of it.
	Out string
	// Check and Key pick a violation of several; empty: any. The first one of
	// linearizability goes before those of other checks.
	Check, Key string
	// Exact makes runs repeatable, see Options.
	Exact bool
	// Guest is what the run was about if it was not the bundled state machines. Its
	// operations stay drawn, and Change is that of all runs, see Options.
	Guest  *Guest
	Change func(*scenarios.Scenario) error
	// Jobs, Tries and MaxRuns are those of shrink.Config. Tries is 1 by default where
	// runs are exact, and otherwise 3.
	Jobs, Tries, MaxRuns int
	// Limit is how long, on the wall clock, new runs are started.
	Limit time.Duration
	// Progress hears how it goes, from one goroutine at a time. May be nil.
	Progress func(shrink.Progress)
}

// Shrunk is what Shrink found, and the content of shrink.json.
type Shrunk struct {
	Violation string `json:"violation"`
	// File is the smallest scenario, which shows the violation with Seed.
	File string `json:"file"`
	Seed uint64 `json:"seed"`
	// Before counts what the run had, given one by one, After what is left.
	Before shrink.Size `json:"before"`
	After  shrink.Size `json:"after"`
	// Runs counts those of the search. It is complete if nothing more can be
	// removed.
	Runs     int     `json:"runs"`
	Complete bool    `json:"complete"`
	Seconds  float64 `json:"seconds"`
	// Shown counts the runs of the smallest scenario, of so many in the end, that
	// showed the violation.
	Shown int `json:"shown"`
	Of    int `json:"of"`
	// Result is that of the run which is kept, and Explanation the file that
	// tells its violation.
	Result      *judge.Result `json:"-"`
	Explanation string        `json:"explanation"`
}

// The names of the files that Shrink leaves beside the kept run's directory.
const (
	smallestFile = "smallest.yaml"
	shrinkFile   = "shrink.json"
)

// Shrink looks for the smallest scenario that shows the violation of a run. The
// best so far is in Out all the time. When ctx or the limit ends, it ends with
// that; a last run of it is still made. The error is shrink.ErrNotShown if the
// violation does not appear again; then nothing is written.
func Shrink(ctx context.Context, o ShrinkOptions) (*Shrunk, error) {
	s, err := newShrinker(o)
	if err != nil {
		return nil, err
	}
	defer s.clean()
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, o.Limit)
	defer cancel()
	found, err := s.search(limited)
	if err != nil {
		return nil, err
	}
	shrunk := &Shrunk{Violation: s.target.String(), File: filepath.Join(s.Out, smallestFile), Seed: found.Seed,
		Before: s.before, After: shrink.SizeOf(found.Scenario), Runs: found.Runs, Complete: found.Complete}
	if err := s.keep(context.WithoutCancel(ctx), shrunk, found.Candidate); err != nil {
		return nil, err
	}
	if err := s.explain(context.WithoutCancel(ctx), shrunk); err != nil {
		return nil, err
	}
	shrunk.Seconds = time.Since(began).Seconds()
	return shrunk, rundir.WriteJSON(s.Out, shrinkFile, shrunk)
}

// shrinker is one call of Shrink.
type shrinker struct {
	ShrinkOptions
	left    *judge.Recording
	target  shrink.Violation
	before  shrink.Size
	scratch string // the directory for the runs of candidates

	mu    sync.Mutex
	shown map[shrink.Candidate]string // directories of runs that showed the violation
}

// How many seeds a candidate gets unless the options say it.
const (
	exactTries   = 1
	inexactTries = 3
)

func newShrinker(o ShrinkOptions) (*shrinker, error) {
	if o.Tries == 0 && o.Exact {
		o.Tries = exactTries
	} else if o.Tries == 0 {
		o.Tries = inexactTries
	}
	var err error
	if o.Out, err = filepath.Abs(o.Out); err != nil {
		return nil, UsageError{err}
	}
	left, err := judge.Read(o.Dir)
	if err != nil {
		return nil, UsageError{err}
	}
	var result judge.Result
	if err := rundir.ReadJSON(o.Dir, rundir.ResultFile, &result); err != nil {
		return nil, UsageError{fmt.Errorf("the run in %s was not judged (monkey check judges it): %w", o.Dir, err)}
	}
	s := &shrinker{ShrinkOptions: o, left: left, shown: map[shrink.Candidate]string{}}
	if s.target, err = s.pick(violations(&result, left.End)); err != nil {
		return nil, UsageError{err}
	}
	s.target.Anywhere = o.Guest != nil
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return nil, UsageError{fmt.Errorf("--out %s: %w", o.Out, err)}
	}
	if s.scratch, err = os.MkdirTemp(o.Out, ".candidates-"); err != nil {
		return nil, UsageError{fmt.Errorf("--out %s: %w", o.Out, err)}
	}
	return s, nil
}

// clean removes what was there for candidates, and the directory for results if
// there are none.
func (s *shrinker) clean() {
	os.RemoveAll(s.scratch)
	os.Remove(s.Out) // not if there is something in it
}

// expectation begins the name of a violated expectation, which is no check.
const expectation = "expect: "

var clusterInDetail = regexp.MustCompile(`\bcluster (\d+)`)

// violations lists what a result found wrong.
func violations(r *judge.Result, end *rundir.End) []shrink.Violation {
	var all []shrink.Violation
	for _, c := range r.Checks {
		if c.Verdict != judge.Violation {
			continue
		}
		v := shrink.Violation{Check: c.Name, Key: c.Key}
		for _, m := range clusterInDetail.FindAllStringSubmatch(c.Detail, -1) {
			if id, err := strconv.ParseUint(m[1], 10, 64); err == nil && !slices.Contains(v.Clusters, id) {
				v.Clusters = append(v.Clusters, id)
			}
		}
		if c.Key != "" {
			v.Clusters = []uint64{c.Cluster}
		}
		if c.Name == "process" && end != nil {
			v.Panic = end.Panic
		}
		all = append(all, v)
	}
	for _, e := range r.Expect {
		if e.Verdict == judge.Violation {
			all = append(all, shrink.Violation{Check: expectation + e.Name})
		}
	}
	return all
}

// pick returns the violation that is asked for.
func (s *shrinker) pick(all []shrink.Violation) (shrink.Violation, error) {
	if len(all) == 0 {
		return shrink.Violation{}, fmt.Errorf("the run in %s found no violation: there is nothing to look for in a smaller one", s.Dir)
	}
	slices.SortStableFunc(all, func(a, b shrink.Violation) int {
		rank := func(v shrink.Violation) int {
			if v.Key != "" {
				return 0
			}
			return 1
		}
		return rank(a) - rank(b)
	})
	for _, v := range all {
		if (s.Check == "" || v.Check == s.Check) && (s.Key == "" || v.Key == s.Key) {
			return v, nil
		}
	}
	var names []string
	for _, v := range all {
		names = append(names, v.String())
	}
	return shrink.Violation{}, fmt.Errorf("the run in %s found no such violation, but %s", s.Dir, strings.Join(names, "; "))
}

// maxGiven bounds the operations of a scenario that gives them, as a file.
const maxGiven = 50_000

// forms are the scenarios from which a search may start, the smallest first: all
// that was drawn is given, with the operations on the violation's key, in its
// cluster, or all of them; the operations are drawn; the scenario as it is. whole
// is the one with all operations, or else the last.
func (s *shrinker) forms() (all []*scenarios.Scenario, whole *scenarios.Scenario, err error) {
	for _, keep := range s.keeps() {
		fixed, err := shrink.Fixed(s.left.Scenario, s.left.Timeline, s.left.History.Ops, keep)
		if err != nil {
			all = nil
			break // it was a run of another version, or ended before clients began
		}
		all = append(all, fixed)
	}
	drawn := *s.left.Scenario
	all = append(all, &drawn)
	for _, f := range all {
		if err := s.describe(f); err != nil {
			return nil, nil, err
		}
	}
	return all, all[max(0, len(all)-3)], nil
}

// keeps are what operations forms have.
func (s *shrinker) keeps() []func(*history.Op) bool {
	drawn := func(*history.Op) bool { return false }
	if s.Guest != nil { // scenario files know the operations of the bundled state machines
		return []func(*history.Op) bool{drawn}
	}
	var keeps []func(*history.Op) bool
	if s.target.Key != "" {
		keeps = append(keeps, func(op *history.Op) bool { return op.Key == s.target.Key })
	}
	if len(s.target.Clusters) > 0 {
		keeps = append(keeps, func(op *history.Op) bool { return op.Cluster == s.target.Clusters[0] })
	}
	return append(keeps, func(*history.Op) bool { return len(s.left.History.Ops) <= maxGiven }, drawn)
}

// describe names a scenario, and has it expect the violation and nothing else.
func (s *shrinker) describe(f *scenarios.Scenario) error {
	const suffix, longest = "-smallest", 64
	name := s.left.Scenario.Name
	f.Name = strings.TrimRight(name[:min(len(name), longest-len(suffix))], "-") + suffix
	f.Description = fmt.Sprintf("The smallest scenario found that shows the violation of %s which seed %d of %s showed.", s.target, s.left.Run.Seed, name)
	if measure, is := strings.CutPrefix(s.target.Check, expectation); is {
		f.Expect = slices.DeleteFunc(slices.Clone(f.Expect), func(e scenarios.Expectation) bool { return e.Measure != measure })
		return nil
	}
	f.Expect = scenarios.Expectations{{Measure: "violation", Names: []string{s.target.Check}}}
	if s.Guest != nil { // a test that shows the violation fails
		f.Expect = nil
	}
	return nil
}

// search finds the smallest scenario.
func (s *shrinker) search(ctx context.Context) (shrink.Result, error) {
	forms, whole, err := s.forms()
	if err != nil {
		return shrink.Result{}, err
	}
	s.before = shrink.SizeOf(whole)
	found, err := shrink.Search(ctx, shrink.Config{
		Run: s.run, Target: s.target, Jobs: s.Jobs, Tries: s.Tries, MaxRuns: s.MaxRuns, Progress: s.Progress, Best: s.found,
	}, s.left.Run.Seed, forms...)
	switch {
	case !errors.Is(err, shrink.ErrNotShown):
		return found, err
	case ctx.Err() != nil:
		return found, fmt.Errorf("%s: stopped after %d runs, before one showed it: %w", s.target, found.Runs, err)
	}
	return found, fmt.Errorf("%s: none of %d runs showed it: %w", s.target, found.Runs, err)
}

// found writes down the best candidate so far, and forgets the runs of others.
func (s *shrinker) found(c shrink.Candidate) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for other, dir := range s.shown {
		if other != c {
			delete(s.shown, other)
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
	}
	return writeScenario(s.Out, smallestFile, c.Scenario)
}

// writeScenario writes a scenario as a person would.
func writeScenario(dir, name string, s *scenarios.Scenario) error {
	text, err := s.Brief()
	if err != nil {
		return err
	}
	return rundir.WriteFile(dir, name, text)
}

// run runs a candidate, and leaves its directory only if the violation appeared.
func (s *shrinker) run(ctx context.Context, candidate *scenarios.Scenario, seed uint64) (shrink.Outcome, error) {
	dir, err := os.MkdirTemp(s.scratch, "run-")
	if err != nil {
		return shrink.Outcome{}, err
	}
	if err := writeScenario(dir, rundir.ScenarioFile, candidate); err != nil {
		return shrink.Outcome{}, err
	}
	r, outcome, err := s.runFile(ctx, filepath.Join(dir, rundir.ScenarioFile), seed, dir)
	if err != nil || !outcome.Shown {
		return outcome, errors.Join(err, os.RemoveAll(dir))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown[shrink.Candidate{Scenario: candidate, Seed: seed}] = r.Dir
	return outcome, nil
}

// runFile runs a scenario's file, and says whether the violation appeared.
func (s *shrinker) runFile(ctx context.Context, file string, seed uint64, out string) (*judge.Result, shrink.Outcome, error) {
	was := s.left.Run
	r, err := Run(ctx, Options{File: file, Seed: seed, World: was.World, Clock: was.Clock, Out: out, Exact: s.Exact, Guest: s.Guest, Change: s.Change})
	if err != nil {
		return nil, shrink.Outcome{}, err
	}
	var end rundir.End
	if err := rundir.ReadJSON(r.Dir, rundir.EndFile, &end); err != nil {
		return nil, shrink.Outcome{}, err
	}
	shown := slices.ContainsFunc(violations(r, &end), func(v shrink.Violation) bool { return v.Is(s.target) })
	stopped, err := stoppedAt(r)
	return r, shrink.Outcome{Shown: shown, Stopped: stopped}, err
}

// stoppedAt is when a run stopped before its time, since its clients began; 0: it
// did not.
func stoppedAt(r *judge.Result) (time.Duration, error) {
	var o rundir.Outcome
	if err := rundir.ReadJSON(r.Dir, rundir.FactsFile, &o); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	happened, err := timeline.Read(r.Dir)
	if err != nil || o.Finished {
		return 0, err
	}
	clients, began := happened.Phase(timeline.WarmUp)
	if !began {
		return 0, nil
	}
	return max(o.Elapsed, happened.End) - clients.From, nil
}

// Where runs are not exact, the smallest scenario is run so often in the end: a
// violation that took luck to appear should not look like a certain one.
const repeats = 5

// keep runs the smallest scenario again, and keeps a run that shows the violation:
// the last one, or else the one by which the scenario was found.
func (s *shrinker) keep(ctx context.Context, shrunk *Shrunk, c shrink.Candidate) error {
	first, err := s.moveOut(c, shrunk.File)
	if err != nil {
		return err
	}
	for shrunk.Of == 0 || shrunk.Of < repeats && !s.Exact {
		r, outcome, err := s.runFile(ctx, shrunk.File, c.Seed, s.Out)
		if err != nil {
			return err
		}
		shrunk.Of++
		drop := r.Dir
		if outcome.Shown {
			shrunk.Shown++
			drop, first = first, r.Dir
			shrunk.Result = r
		}
		if err := os.RemoveAll(drop); err != nil {
			return err
		}
	}
	if shrunk.Result == nil {
		shrunk.Result, err = s.Guest.check(ctx, first)
	}
	return errors.Join(err, rundir.PointLatest(s.Out, filepath.Base(first)))
}

// moveOut moves the run by which a candidate was found to where results are, as
// one of the smallest scenario's file.
func (s *shrinker) moveOut(c shrink.Candidate, file string) (dir string, err error) {
	from := s.shown[c]
	var run rundir.Run
	if err := rundir.ReadJSON(from, rundir.RunFile, &run); err != nil {
		return "", err
	}
	o := Options{File: file, Seed: c.Seed, World: run.World, Clock: run.Clock, Exact: run.Exact, Guest: s.Guest}
	run.File, run.Reproduce = file, o.reproduce()
	dir = filepath.Join(s.Out, filepath.Base(from))
	return dir, errors.Join(rundir.WriteJSON(from, rundir.RunFile, run), os.Rename(from, dir))
}

// explain writes the page about the violation of the run that is kept.
func (s *shrinker) explain(ctx context.Context, shrunk *Shrunk) error {
	r := shrunk.Result
	left, err := judge.Read(r.Dir)
	if err != nil {
		return err
	}
	x := report.Explained{Result: r, Scenario: left.Scenario, Timeline: left.Timeline, Ops: left.History.Ops,
		Removed: report.Shrunk(shrunk.Before, shrunk.After), Origin: s.left.Run.Reproduce, Finding: s.finding(r, left.End)}
	page, err := report.Explanation(ctx, x)
	if err != nil {
		return err
	}
	shrunk.Explanation = filepath.Join(r.Dir, rundir.ExplanationFile)
	return rundir.WriteFile(r.Dir, rundir.ExplanationFile, page)
}

// finding is the check of a result that found the violation; of an expectation,
// what a check would say.
func (s *shrinker) finding(r *judge.Result, end *rundir.End) judge.Check {
	for _, c := range r.Checks {
		one := judge.Result{Checks: []judge.Check{c}}
		if found := violations(&one, end); len(found) == 0 || !found[0].Is(s.target) {
			continue
		}
		if c.Cluster == 0 && len(s.target.Clusters) > 0 {
			c.Cluster = s.target.Clusters[0]
		}
		return c
	}
	for _, e := range r.Expect {
		if expectation+e.Name == s.target.Check {
			return judge.Check{Name: s.target.Check, Verdict: e.Verdict, Detail: e.Detail}
		}
	}
	return judge.Check{Name: s.target.Check}
}
