// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/report"
)

// runFlags are the flags of every verb that runs scenarios.
type runFlags struct {
	seed     string
	world    string
	clock    string
	duration time.Duration
	out      string
	sets     []string
	json     bool
	exact    bool
	profile  bool
}

func (f *runFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.world, "world", harness.WorldSim, "the world: sim")
	fs.StringVar(&f.clock, "clock", harness.ClockVirtual, "the clock of world sim: virtual or real")
	fs.DurationVar(&f.duration, "duration", 0, "length of the phase with faults (default: the scenario's)")
	fs.StringVar(&f.out, "out", "runs", "directory for the directories of runs")
	fs.StringArrayVar(&f.sets, "set", nil, "override a field of the scenario, path=value; repeatable")
	fs.BoolVar(&f.exact, "exact", false, "make the run repeatable to the last decision of the scheduler")
	fs.BoolVar(&f.profile, "profile", false, "write a CPU profile of the simulation, cpu.pprof, into the run's directory")
	fs.BoolVar(&f.json, "json", false, "print the result as JSON on standard output, and nothing else")
}

// options makes the options of one run.
func (f *runFlags) options(file string) (harness.Options, error) {
	seed, err := f.drawSeed()
	if err != nil {
		return harness.Options{}, err
	}
	if f.duration < 0 {
		return harness.Options{}, program.Usagef("--duration %s: expected a length of time such as 10m", f.duration)
	}
	return harness.Options{File: file, Seed: seed, World: f.world, Clock: f.clock, Sets: f.sets,
		Duration: f.duration, Out: f.out, Exact: f.exact, Profile: f.profile, Warnings: os.Stderr}, nil
}

// drawSeed reads --seed, or draws one short enough to be typed again.
func (f *runFlags) drawSeed() (uint64, error) {
	if f.seed == "" || f.seed == "random" {
		var b [8]byte
		if _, err := rand.Read(b[:]); err != nil {
			return 0, fmt.Errorf("draw a seed: %w", err)
		}
		return binary.LittleEndian.Uint64(b[:]) >> 33, nil
	}
	seed, err := strconv.ParseUint(f.seed, 10, 64)
	if err != nil {
		return 0, program.Usagef("--seed %s: expected a number from 0 to 18446744073709551615", f.seed)
	}
	return seed, nil
}

func runCommand(code *int) *cobra.Command {
	var f runFlags
	var junit string
	cmd := &cobra.Command{
		Use:   "run SCENARIO.yaml…",
		Short: "Run scenarios, one after the other, and judge each",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if err := prepare(cmd.Context(), &f, files); err != nil {
				return err
			}
			var results []*judge.Result
			for _, file := range files {
				o, err := f.options(file)
				if err != nil {
					return err
				}
				r, err := runOne(cmd.Context(), o, f.json)
				if err != nil {
					return err
				}
				*code = program.Worse(*code, exitCode(r.Verdict))
				// After each: what was found is there, also if the next one can't be run.
				if results = append(results, r); junit != "" {
					if err := writeJUnit(junit, results); err != nil {
						return err
					}
				}
				if cmd.Context().Err() != nil {
					break
				}
			}
			return nil
		},
	}
	f.register(cmd.Flags())
	cmd.Flags().StringVar(&junit, "junit", "", "file that gets the results of all runs in JUnit's format")
	cmd.Flags().StringVar(&f.seed, "seed", "", "number that fixes the schedule of faults and operations (default: random, printed)")
	return cmd
}

// writeJUnit writes results for a CI server.
func writeJUnit(file string, results []*judge.Result) error {
	b, err := report.JUnits(results)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		return program.Usagef("--junit %s: %w", file, err)
	}
	return nil
}

// prepare refuses all files before the first one runs, and goes on in a program
// with the overlay if the runs are to be exact: all of them, if one needs it.
func prepare(ctx context.Context, f *runFlags, files []string) error {
	for _, file := range files {
		o, err := f.options(file)
		if err != nil {
			return err
		}
		s, err := o.Load()
		if err == nil && !f.exact && s.NeedsExact() {
			f.exact, o.Exact = true, true
			_, err = o.Load()
		}
		if err != nil {
			return withCode(err)
		}
	}
	if f.exact {
		return becomeExact(ctx)
	}
	return nil
}

// runOne runs, shows how it goes, and prints the result.
func runOne(ctx context.Context, o harness.Options, asJSON bool) (*judge.Result, error) {
	fmt.Fprintf(os.Stderr, "%s: seed %d\n", o.File, o.Seed)
	bar := newProgress(os.Stderr)
	o.Progress = bar.show
	r, err := harness.Run(ctx, o)
	bar.end()
	if err != nil {
		return nil, withCode(err)
	}
	return r, printResult(os.Stdout, r, asJSON)
}

func printResult(w io.Writer, r *judge.Result, asJSON bool) error {
	if !asJSON {
		return report.Table(w, r)
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}

func checkCommand(code *int) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check RUN…",
		Short: "Judge what is in the directories of runs again, also of runs that were killed",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, dirs []string) error {
			for _, dir := range dirs {
				r, err := harness.Check(cmd.Context(), dir)
				if err != nil {
					return withCode(err)
				}
				if err := printResult(os.Stdout, r, asJSON); err != nil {
					return err
				}
				*code = program.Worse(*code, exitCode(r.Verdict))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print each result as JSON on standard output, and nothing else")
	return cmd
}
