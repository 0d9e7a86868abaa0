// SPDX-License-Identifier: Apache-2.0

// Command checker judges recorded histories: whether they are linearizable.
// See docs/checker.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
)

func main() {
	program.Main(func(ctx context.Context) int { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) })
}

type options struct {
	model, format, engine string
	timeout               time.Duration
	memory                string
	memoryBytes           int64
	json, certify, quiet  bool
	viz, convert, output  string
	compare               int
	seed                  uint64
	bench                 bool
	benchLimit            time.Duration
}

const usage = `usage: checker [flags] FILE...

Judges whether histories are linearizable, one line a file. FILE is JSONL, EDN
or a Jepsen log, plain or packed with gzip or zstd; - is standard input. The
directory of a monkey's run stands for the history in it, ended or not.
Exit code: 0 ok, 2 unknown or interrupted, 1 violation, 64 invalid input, 70
internal or output error; of several files the one that is last in this list.

`

func flags(o *options, stderr io.Writer) *pflag.FlagSet {
	f := pflag.NewFlagSet("checker", pflag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.model, "model", "auto", "auto, register, cas-register, kv, counter, set, bank or sessions")
	f.StringVar(&o.format, "format", "auto", "auto, jsonl, edn or jepsen")
	f.StringVar(&o.engine, "engine", "auto", "auto, zones, search or porcupine")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "time for the general search of a file; 0 for no limit")
	f.StringVar(&o.memory, "memory", "1GiB", "memory for the general search of a key")
	f.BoolVar(&o.json, "json", false, "print one JSON object a file")
	f.BoolVar(&o.certify, "certify", false, "verify an order that explains it for every ok")
	f.StringVar(&o.viz, "viz", "", "draw the violation, or without one every key, into this HTML `file`")
	f.StringVar(&o.convert, "convert", "", "write the history in this `format` (jsonl, edn, jepsen) instead of judging it")
	f.StringVarP(&o.output, "output", "o", "-", "`file` that --convert writes")
	f.BoolVar(&o.quiet, "quiet", false, "show no progress")
	f.IntVar(&o.compare, "compare", 0, "compare the engines with porcupine on `n` random histories instead")
	f.Uint64Var(&o.seed, "seed", 1, "seed of --compare")
	f.BoolVar(&o.bench, "bench", false, "measure against porcupine and against the goals instead; exit code 2 if one is not met")
	f.DurationVar(&o.benchLimit, "bench-limit", 40*time.Second, "time after which --bench stops porcupine on a history")
	f.Usage = func() { fmt.Fprint(stderr, usage, f.FlagUsages()) }
	return f
}

// run is main without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	out := &output{w: stdout}
	err := recovered(func() error {
		code = dispatch(ctx, args, out, stderr)
		return nil
	})
	code = program.Worse(code, exitOf(err, stderr))
	return program.Worse(code, exitOf(out.err, stderr))
}

// dispatch reads the command line and does what it says.
func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	f := flags(&o, stderr)
	if err := f.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return program.ExitPass
		}
		return exitOf(err, stderr)
	}
	if err := o.validate(f); err != nil {
		return exitOf(err, stderr)
	}
	switch {
	case o.compare > 0:
		return runCompare(ctx, &o, stdout, stderr)
	case o.bench:
		return runBench(ctx, &o, stdout, stderr)
	}
	return judgeAll(ctx, &o, f.Args(), stdout, stderr)
}

func (o *options) validate(f *pflag.FlagSet) (err error) {
	if f.NArg() == 0 && o.compare == 0 && !o.bench {
		return errors.New("name at least one history; see checker --help")
	}
	if f.NArg() > 1 && (o.viz != "" || o.convert != "") {
		return errors.New("--viz and --convert take one history")
	}
	if _, err := model.ByName(o.model); err != nil {
		return fmt.Errorf("--model: %w", err)
	}
	if !slices.Contains(linear.Engines, o.engine) {
		return fmt.Errorf("--engine %s is none of %s", o.engine, strings.Join(linear.Engines, ", "))
	}
	switch history.Format(o.format) {
	case history.Auto, history.JSONL, history.EDN, history.Jepsen:
	default:
		return fmt.Errorf("--format %s is none of auto, jsonl, edn, jepsen", o.format)
	}
	switch history.Format(o.convert) {
	case "", history.JSONL, history.EDN, history.Jepsen:
	default:
		return fmt.Errorf("--convert %s is none of jsonl, edn, jepsen", o.convert)
	}
	if o.viz == "-" {
		return errors.New("--viz needs a file: standard output has the verdict")
	}
	for _, path := range f.Args() {
		if err := o.keepInput(path); err != nil {
			return err
		}
	}
	if o.timeout < 0 {
		return fmt.Errorf("--timeout %v is negative", o.timeout)
	}
	if o.timeout == 0 {
		o.timeout = -1
	}
	o.memoryBytes, err = parseSize(o.memory)
	return err
}
