// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/report"
	"github.com/drumbeat-raft/drumbeat/monkey/shrink"
)

func shrinkCommand(code *int) *cobra.Command {
	var o harness.ShrinkOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "shrink RUN",
		Short: "Look for the smallest scenario that shows the violation of a run: fewer faults, operations, clusters, hosts, less time",
		Long: `shrink looks for the smallest scenario that shows the violation of a run. It
removes faults, operations, clusters, keys, hosts, clients, time and settings as
long as the same check fails on the same key, or in the same cluster. The result
is smallest.yaml, with its seed, and a run of it with explanation.html.

Exit codes: 0 there is a smallest scenario, 2 the violation does not appear again,
64 bad usage, or a run without a violation, 70 internal error.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := filepath.EvalSymlinks(args[0]) // 'latest' will be another run
			if err != nil {
				return program.Usage(err)
			}
			o.Dir = dir
			if o.Out == "" {
				o.Out = filepath.Join(dir, "shrunk")
			}
			if o.Jobs < 1 || o.Tries < 0 || o.MaxRuns < 0 || o.Limit <= 0 {
				return program.Usagef("--jobs and --for have to be positive, --tries and --runs not negative")
			}
			if o.Exact {
				if err := becomeExact(cmd.Context()); err != nil {
					if cmd.Flags().Changed("exact") {
						return err
					}
					fmt.Fprintf(os.Stderr, "runs will not be exact: %v\n", err)
					o.Exact = false
				}
			}
			return shrinkRun(cmd.Context(), o, asJSON, code)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Out, "out", "", "directory for the result (default: RUN/shrunk)")
	fs.StringVar(&o.Check, "check", "", "the check whose violation is looked for (default: linearizability, or the first one)")
	fs.StringVar(&o.Key, "key", "", "the key whose violation is looked for, such as 14/k4 (default: the first one)")
	fs.BoolVar(&o.Exact, "exact", true, "make runs repeatable to the last decision of the scheduler; without a Go toolchain they are not")
	fs.IntVar(&o.Jobs, "jobs", runtime.NumCPU(), "runs side by side")
	fs.IntVar(&o.Tries, "tries", 0, "runs of a candidate, each with another seed, before it counts as one without the violation (default: 1 where runs are exact, otherwise 3)")
	fs.DurationVar(&o.Limit, "for", 5*time.Minute, "start no run after this long on the wall clock")
	fs.IntVar(&o.MaxRuns, "runs", 0, "at most this many runs; 0: no limit")
	fs.BoolVar(&asJSON, "json", false, "print the result as JSON on standard output, and nothing else")
	return cmd
}

func shrinkRun(ctx context.Context, o harness.ShrinkOptions, asJSON bool, code *int) error {
	bar := &shrinkProgress{f: os.Stderr, terminal: term.IsTerminal(int(os.Stderr.Fd())), began: time.Now()}
	o.Progress = bar.show
	shrunk, err := harness.Shrink(ctx, o)
	bar.end()
	if errors.Is(err, shrink.ErrNotShown) {
		*code = program.ExitInconclusive
		fmt.Fprintln(os.Stderr, err)
		return nil
	}
	if err != nil {
		return withCode(err)
	}
	if asJSON {
		b, err := json.Marshal(shrunk)
		if err != nil {
			return err
		}
		_, err = fmt.Printf("%s\n", b)
		return err
	}
	return printShrunk(os.Stdout, shrunk)
}

func printShrunk(w io.Writer, s *harness.Shrunk) error {
	if err := report.ShrunkTable(w, s.Violation, s.Before, s.After); err != nil {
		return err
	}
	how := "nothing more can be removed"
	if !s.Complete {
		how = "stopped before all was tried"
	}
	fmt.Fprintf(w, "\n%d runs in %.0f s; %s\n", s.Runs, s.Seconds, how)
	if s.Of > 1 {
		fmt.Fprintf(w, "of %d runs of the smallest scenario %d show the violation\n", s.Of, s.Shown)
	}
	_, err := fmt.Fprintf(w, "%s\n%s\nreproduce: %s\n", s.File, s.Explanation, s.Result.Reproduce)
	return err
}

// shrinkProgress shows how a search goes: one line that changes on a terminal,
// otherwise a line whenever the scenario got smaller.
type shrinkProgress struct {
	f        *os.File
	terminal bool
	began    time.Time
	size     shrink.Size
}

func (p *shrinkProgress) show(at shrink.Progress) {
	line := fmt.Sprintf("%3.0f s %4d runs  %d faults, %d operations, %d clusters, %d hosts, %s  trying without %s", time.Since(p.began).Seconds(), at.Runs,
		at.Size.Faults, at.Size.Operations, at.Size.Clusters, at.Size.NodeHosts+at.Size.Drummers, at.Size.Length.Round(time.Second), at.Step)
	switch {
	case p.terminal:
		fmt.Fprintf(p.f, "\r%s\x1b[K", line)
	case at.Size != p.size:
		fmt.Fprintln(p.f, line)
	}
	p.size = at.Size
}

func (p *shrinkProgress) end() {
	if p.terminal {
		fmt.Fprint(p.f, "\r\x1b[K")
	}
}
