// SPDX-License-Identifier: Apache-2.0

package shrink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Run carries out a scenario with a seed, and says whether the violation
// appeared. It is called from Config.Jobs goroutines at once. It returns early
// when ctx ends; what it returns then does not count. Any other error ends the
// search.
type Run func(ctx context.Context, s *scenarios.Scenario, seed uint64) (Outcome, error)

// Outcome is what came of a run.
type Outcome struct {
	// Shown says that the violation appeared.
	Shown bool
	// Stopped is when the run stopped, since its clients began, if it stopped at
	// a violation; 0: it went on to its end.
	Stopped time.Duration
}

// Candidate is a scenario with the seed that it is run with.
type Candidate struct {
	Scenario *scenarios.Scenario
	Seed     uint64
}

// Config says what is looked for, and how long.
type Config struct {
	Run    Run
	Target Violation
	// Jobs is how many runs go on side by side, at least 1.
	Jobs int
	// Tries is how often a candidate is run, each time with another seed, before
	// it counts as one without the violation; at least 1. It is three times as
	// often where a seed's luck is drawn anew.
	Tries int
	// MaxRuns bounds the runs; 0: no limit.
	MaxRuns int
	// Best is told of every smaller candidate that shows the violation, and
	// Progress how the search goes on, from one goroutine at a time. Either may
	// be nil.
	Best     func(Candidate) error
	Progress func(Progress)
}

// Progress is how far a search is.
type Progress struct {
	Step string // what is tried to be removed
	Runs int
	Size Size // of the smallest candidate so far
}

// Result is the smallest candidate that was found to show the violation.
type Result struct {
	Candidate
	Runs int
	// Complete says that nothing more could be removed; otherwise the search was
	// stopped, or came to its limit of runs.
	Complete bool
}

// ErrNotShown is the error of a search in which no run showed the violation.
var ErrNotShown = errors.New("the violation does not appear again")

// luckyTries is by how much more seeds are tried in the beginning, and in passes
// that need luck.
const luckyTries = 3

// Search removes from a scenario what the violation does not need, until
// nothing more can be removed, ctx ends, or the runs are used up. It starts with
// the first of some scenarios that shows the violation, and with this seed or
// one of the next. The error is ErrNotShown, or one of Run or Best; with one of
// these the result is the smallest candidate so far.
func Search(ctx context.Context, c Config, seed uint64, from ...*scenarios.Scenario) (Result, error) {
	s := &search{Config: c, ctx: ctx, best: Candidate{from[0], seed}, refuted: map[attempt]bool{}}
	s.step = "anything"
	s.Tries = luckyTries * c.Tries
	shown := s.accept(from) >= 0
	if shown {
		for before := ""; !s.over() && before != s.text; {
			before = s.text
			for _, p := range passes {
				if !s.over() {
					s.step, s.Tries = p.name, c.Tries
					if p.lucky {
						s.Tries *= luckyTries
					}
					p.reduce(s)
				}
			}
		}
	}
	result := Result{Candidate: s.best, Runs: s.runs, Complete: shown && !s.over()}
	switch {
	case s.err != nil:
		return result, s.err
	case !shown:
		return result, ErrNotShown
	}
	return result, nil
}

// search is the state of one.
type search struct {
	Config
	ctx  context.Context
	step string
	best Candidate
	text string  // of best; empty: nothing has shown the violation yet
	last Outcome // of best

	mu      sync.Mutex
	runs    int
	err     error
	refuted map[attempt]bool // that were run and did not show the violation
}

// attempt is a scenario, as its text, with a seed.
type attempt struct {
	text string
	seed uint64
}

// over reports whether no more runs may be started.
func (s *search) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err != nil || s.ctx.Err() != nil || s.MaxRuns > 0 && s.runs >= s.MaxRuns
}

func (s *search) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

// accept runs candidates, each with as many seeds as it is tried with, and takes
// the first one that shows the violation for the best from now on. The order is
// that of a loop over the seeds around a loop over the candidates, whatever runs
// side by side. It returns the index of the candidate; -1: none shows it. Those
// that are nil, or nothing new, are passed over.
func (s *search) accept(candidates []*scenarios.Scenario) int {
	jobs := s.jobs(candidates)
	won := s.race(jobs)
	if won < 0 {
		return -1
	}
	w := jobs[won]
	s.best, s.text, s.last = Candidate{w.scenario, w.seed}, w.text, w.outcome
	if s.Best != nil {
		if err := s.Best(s.best); err != nil {
			s.fail(err)
		}
	}
	s.tell()
	return w.candidate
}

// job is one run that has to be made.
type job struct {
	attempt
	scenario  *scenarios.Scenario
	candidate int
	outcome   Outcome
}

// jobs lists the runs of candidates, in their order, without those of which it
// is known that they don't show the violation.
func (s *search) jobs(candidates []*scenarios.Scenario) []*job {
	texts := make([]string, len(candidates))
	for i, c := range candidates {
		if c == nil {
			continue
		}
		text, err := c.Brief()
		if err != nil {
			s.fail(err)
			return nil
		}
		texts[i] = string(text)
	}
	var all []*job
	for try := range s.Tries {
		for i, c := range candidates {
			a := attempt{texts[i], s.best.Seed + uint64(try)}
			if c != nil && a.text != s.text && !s.refuted[a] {
				all = append(all, &job{attempt: a, scenario: c, candidate: i})
			}
		}
	}
	return all
}

// race makes runs side by side until it is known which is the first one that
// shows the violation, and returns its index; -1: there is none.
func (s *search) race(jobs []*job) int {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	next, won := 0, -1
	stops := map[int]context.CancelFunc{} // of the runs that go on
	var wg sync.WaitGroup
	worker := func() {
		for {
			s.mu.Lock()
			i := next
			if i >= len(jobs) || won >= 0 || s.err != nil || ctx.Err() != nil || s.MaxRuns > 0 && s.runs >= s.MaxRuns {
				s.mu.Unlock()
				return
			}
			next++
			s.runs++
			limited, stop := context.WithCancel(ctx)
			stops[i] = stop
			s.mu.Unlock()
			outcome, err := s.Run(limited, jobs[i].scenario, jobs[i].seed)
			s.mu.Lock()
			delete(stops, i)
			switch {
			case limited.Err() != nil: // it was cut short
			case err != nil && s.err == nil:
				s.err = fmt.Errorf("run a candidate with seed %d: %w", jobs[i].seed, err)
			case err != nil:
			case !outcome.Shown:
				s.refuted[jobs[i].attempt] = true
			case won < 0 || i < won:
				jobs[i].outcome, won = outcome, i
				for other, stop := range stops {
					if other > i {
						stop()
					}
				}
			}
			s.mu.Unlock()
			stop()
			s.tell()
		}
	}
	for range s.Jobs {
		wg.Go(worker)
	}
	wg.Wait()
	return won
}

// tell reports how the search goes on.
func (s *search) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Progress != nil {
		s.Progress(Progress{Step: s.step, Runs: s.runs, Size: SizeOf(s.best.Scenario)})
	}
}
