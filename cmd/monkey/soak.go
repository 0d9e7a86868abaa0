// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/coverage"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

// What soak keeps of its runs on disk.
const (
	keepAll      = "all"
	keepFailures = "failures"
	keepResults  = "results"
)

// soak runs scenarios in turn with seeds that count up, several side by side.
type soak struct {
	flags runFlags
	files []string
	jobs  int // runs side by side
	limit time.Duration
	runs  int // at most; 0: no limit
	keep  string

	first    uint64 // seed of the first run
	began    time.Time
	progress *soakProgress

	mu       sync.Mutex
	started  int
	finished []*judge.Result // in the order in which they ended
	coverage coverage.Table  // of those
}

func soakCommand(code *int) *cobra.Command {
	var s soak
	cmd := &cobra.Command{
		Use:   "soak SCENARIO.yaml…",
		Short: "Run scenarios in turn with fresh seeds, side by side, until the time or the number of runs is over",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			s.files = files
			if err := s.prepare(cmd.Context(), cmd.Flags().Changed("jobs")); err != nil {
				return err
			}
			err := s.run(cmd.Context())
			*code = program.Worse(*code, s.summary())
			return err
		},
	}
	fs := cmd.Flags()
	s.flags.register(fs)
	fs.StringVar(&s.flags.seed, "seed", "", "seed of the first run; each run after it has the next number (default: random, printed)")
	fs.IntVar(&s.jobs, "jobs", runtime.NumCPU(), "runs side by side (default: one a core; with --clock real: 1)")
	fs.DurationVar(&s.limit, "for", 8*time.Hour, "start no run after this long on the wall clock")
	fs.IntVar(&s.runs, "runs", 0, "at most this many runs; 0: no limit")
	fs.StringVar(&s.keep, "keep", keepAll, "whose directories stay: all runs' or failures', which are runs that did not pass; results: those, and of the others scenario and result")
	return cmd
}

// prepare refuses what can't be carried out before anything runs.
func (s *soak) prepare(ctx context.Context, jobsGiven bool) error {
	if s.flags.clock == harness.ClockReal && !jobsGiven {
		s.jobs = 1 // runs on the real clock would slow each other down
	}
	switch {
	case s.jobs < 1:
		return program.Usagef("--jobs %d: expected a number of runs side by side, 1 or more", s.jobs)
	case s.runs < 0:
		return program.Usagef("--runs %d: expected a number of runs, or 0 for no limit", s.runs)
	case !slices.Contains([]string{keepAll, keepFailures, keepResults}, s.keep):
		return program.Usagef("--keep %s: expected %s, %s or %s", s.keep, keepAll, keepFailures, keepResults)
	}
	if err := prepare(ctx, &s.flags, s.files); err != nil {
		return err
	}
	var err error
	s.first, err = s.flags.drawSeed()
	return err
}

// run starts runs until the time, or their number, or ctx is over, and waits for
// those at work. An error of the harness lets no more of them start.
func (s *soak) run(ctx context.Context) error {
	s.began, s.progress = time.Now(), newSoakProgress(os.Stderr)
	fmt.Fprintf(os.Stderr, "soak: %d runs side by side, seeds from %d on\n", s.jobs, s.first)
	workers, ctx := errgroup.WithContext(ctx)
	for range s.jobs {
		workers.Go(func() error {
			for {
				n, more := s.next(ctx)
				if !more {
					return nil
				}
				if err := s.one(ctx, n); err != nil {
					return err
				}
			}
		})
	}
	return workers.Wait()
}

// next is the number of the run to be started, from 0, if there is to be one.
func (s *soak) next(ctx context.Context) (n int, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil || time.Since(s.began) >= s.limit || s.runs > 0 && s.started >= s.runs {
		return 0, false
	}
	s.started++
	return s.started - 1, true
}

// one carries out a run and prints what came of it. Its scenario and seed depend
// on its number alone.
func (s *soak) one(ctx context.Context, n int) error {
	o, err := s.flags.options(s.files[n%len(s.files)])
	if err != nil {
		return err
	}
	o.Seed = s.first + uint64(n)
	o.Progress = func(p harness.Progress) { s.progress.show(o.Seed, p) }
	r, err := harness.Run(ctx, o)
	if err != nil {
		return withCode(err)
	}
	scenario, err := o.Load()
	if err != nil {
		return withCode(err)
	}
	if r.Verdict == judge.Pass {
		if err := s.discard(r); err != nil {
			return fmt.Errorf("--keep %s: %w", s.keep, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finished = append(s.finished, r)
	s.coverage.Add(scenario, r)
	return s.progress.finished(r, s.flags.json)
}

// discard removes what is not kept of a run that passed.
func (s *soak) discard(r *judge.Result) error {
	switch s.keep {
	case keepFailures:
		dir := r.Dir
		r.Dir = ""
		return os.RemoveAll(dir)
	case keepResults:
		files, err := os.ReadDir(r.Dir)
		if err != nil {
			return err
		}
		for _, f := range files {
			if f.Name() == rundir.ResultFile || f.Name() == rundir.ScenarioFile {
				continue
			}
			if err := os.RemoveAll(filepath.Join(r.Dir, f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// summary prints how many runs ended how, and again which ones did not pass. It
// returns the exit code.
func (s *soak) summary() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	code, tally := program.ExitPass, map[judge.Verdict]int{}
	for _, r := range s.finished {
		tally[r.Verdict]++
		code = program.Worse(code, exitCode(r.Verdict))
	}
	took := time.Since(s.began)
	fmt.Fprintf(os.Stderr, "\n%d runs in %s, %.0f an hour: %d pass, %d violation, %d inconclusive\n", len(s.finished), took.Round(time.Second),
		float64(len(s.finished))/took.Hours(), tally[judge.Pass], tally[judge.Violation], tally[judge.Inconclusive])
	slices.SortFunc(s.finished, func(a, b *judge.Result) int { return cmp.Compare(a.Seed, b.Seed) })
	for _, r := range s.finished {
		if r.Verdict != judge.Pass {
			fmt.Fprintln(os.Stderr, oneLine(r))
		}
	}
	if len(s.finished) > 1 {
		fmt.Fprintln(os.Stderr)
		_ = s.coverage.Write(os.Stderr, 1)
	}
	return code
}
