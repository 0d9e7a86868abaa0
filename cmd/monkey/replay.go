// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/engine"
	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

// replayFlags are the flags of replay.
type replayFlags struct {
	json bool
	out  string
	look engine.Look
}

func replayCommand(code *int) *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay RUN",
		Short: "Run again what a run's directory describes: same scenario as resolved then, same seed; compare the executions of an exact run, and look into it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.replay(cmd, args[0], code)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "print the result as JSON on standard output, and nothing else")
	flags.StringVar(&f.out, "out", "runs", "directory for the directories of runs")
	flags.DurationVar(&f.look.Until, "until", 0, "stop the execution of an exact run at that instant, counted from its start on its own clock")
	flags.StringArrayVar(&f.look.Subjects, "dump", nil, "print what all of 'cluster N', 'nodehost N', 'drummer' or 'network' held at the instant --at; repeatable")
	flags.DurationSliceVar(&f.look.At, "at", nil, "instant for --dump (default: that of --until); repeatable")
	flags.StringVar(&f.look.Log, "log", "", "log level of Dragonboat, Drummer and the agents in the run's logs: debug or info")
	return cmd
}

func (f *replayFlags) replay(cmd *cobra.Command, arg string, code *int) error {
	dir, err := filepath.EvalSymlinks(arg) // 'latest' will be another run
	if err != nil {
		return program.Usage(err)
	}
	var was rundir.Run
	if err := rundir.ReadJSON(dir, rundir.RunFile, &was); err != nil {
		return program.Usagef("%s is not the directory of a run: %w", dir, err)
	}
	if err := f.check(was.Exact); err != nil {
		return program.Usagef("replay %s: %w", dir, err)
	}
	if was.Exact {
		if err := becomeExact(cmd.Context()); err != nil {
			return err
		}
	}
	// scenario.yaml holds every override already.
	r, err := runOne(cmd.Context(), harness.Options{
		File: filepath.Join(dir, rundir.ScenarioFile), Seed: was.Seed, World: was.World,
		Clock: was.Clock, Out: f.out, Exact: was.Exact, Look: f.look, Warnings: os.Stderr,
	}, f.json)
	if err != nil {
		return err
	}
	*code = exitCode(r.Verdict)
	if !was.Exact {
		return nil
	}
	same, err := compareExecutions(dir, r.Dir, f.look.Until > 0)
	if err == nil && !same { // the verdict is of another execution
		*code = program.Worse(*code, program.ExitInconclusive)
	}
	return errors.Join(err, f.showLooks(r))
}

// check completes the flags, and reports what is wrong with them.
func (f *replayFlags) check(isExact bool) error {
	l := &f.look
	if len(l.Subjects) > 0 && len(l.At) == 0 {
		if l.Until == 0 {
			return errors.New("--dump needs an instant: --at or --until")
		}
		l.At = []time.Duration{l.Until}
	}
	if !isExact && (l.Until > 0 || len(l.At) > 0 || l.Log != "") {
		return errors.New("it was no exact run (--exact), so it can't be looked into: what runs again is another execution")
	}
	return l.Check()
}

// showLooks prints what was seen in the run.
func (f *replayFlags) showLooks(r *judge.Result) error {
	var s exact.State
	if err := rundir.ReadJSON(r.Dir, rundir.ExactFile, &s); err != nil {
		return err
	}
	var end rundir.End
	if err := rundir.ReadJSON(r.Dir, rundir.EndFile, &end); err != nil {
		return err
	}
	for _, at := range f.look.At {
		if end.Until == 0 && at > s.Now {
			fmt.Fprintf(os.Stderr, "the run ended at %s, before %s\n", s.Now, at)
		}
	}
	if f.json {
		return nil
	}
	looks, err := os.Open(filepath.Join(r.Dir, rundir.LooksFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("show what was seen in the run: %w", err)
	}
	defer looks.Close()
	fmt.Println()
	_, err = io.Copy(os.Stdout, looks)
	return err
}

// compareExecutions says on standard error whether two exact runs were the same
// execution, and where they part if not. The second one may have been stopped
// early.
func compareExecutions(first, second string, stopped bool) (same bool, err error) {
	var traces [2]*exact.Trace
	for i, dir := range []string{first, second} {
		if traces[i], err = exact.OpenTrace(filepath.Join(dir, rundir.TraceFile)); err != nil {
			return false, err
		}
		defer traces[i].Close()
	}
	d, err := exact.Compare(traces[0], traces[1])
	switch {
	case err != nil:
		return false, fmt.Errorf("compare the executions in %s and %s: %w", first, second, err)
	case d == nil:
		fmt.Fprintln(os.Stderr, "the same execution, to the last decision of the scheduler")
	case stopped && d.EndedB:
		fmt.Fprintf(os.Stderr, "the same execution, to decision %d of the scheduler, where it was stopped\n", d.Decision)
	default:
		fmt.Fprintln(os.Stderr, d)
		return false, nil
	}
	return true, nil
}
