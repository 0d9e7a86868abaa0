// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
)

func modelByName(name string) (linear.Model, error) {
	if name == "auto" {
		return linear.Auto, nil
	}
	for _, m := range linear.Models {
		if m.Name() == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("--model %s is none of auto, register, cas-register, kv, counter, set, bank, sessions", name)
}

// judgeAll deals with one file after the other until it is interrupted.
func judgeAll(ctx context.Context, o *options, paths []string, stdout, stderr io.Writer) (code int) {
	for i, path := range paths {
		if i > 0 && ctx.Err() != nil {
			fmt.Fprintf(stderr, "checker: interrupted: %d of %d files were not judged, from %s on\n", len(paths)-i, len(paths), path)
			return worse(code, exitInconclusive)
		}
		code = worse(code, judge(ctx, o, path, stdout, stderr))
	}
	return code
}

// judge deals with one file and returns its exit code. Its verdict is printed
// before anything else can go wrong.
func judge(ctx context.Context, o *options, path string, stdout, stderr io.Writer) int {
	start := time.Now()
	h, err := load(ctx, o, path, stderr)
	if o.convert != "" {
		if err == nil {
			err = convert(o, h)
		}
		return exitOf(err, stderr)
	}
	var v verdict
	if err == nil {
		v, err = check(ctx, o, h)
	}
	if errors.Is(err, errInterrupted) {
		v.Result = linear.Result{Verdict: linear.Unknown, Engine: linear.None, Ops: h.count(), Explanation: "interrupted before the search"}
		err = nil
	}
	took := time.Since(start)
	if err != nil {
		if o.json {
			printJSONError(stdout, path, h.count(), took, err)
		}
		return exitOf(err, stderr)
	}
	if o.json {
		printJSON(stdout, path, &v, took)
	} else {
		printText(stdout, stderr, path, &v, took)
	}
	for _, note := range v.notes {
		fmt.Fprintf(stderr, "  %s\n", note)
	}
	if o.viz != "" {
		err = drawPage(ctx, o, h, v.Result)
	}
	return worse(v.exit(), exitOf(errors.Join(err, v.failed), stderr))
}

// verdict is what is known of a file that was judged.
type verdict struct {
	linear.Result
	certified bool
	// failed is what was asked for beside the verdict and can't be given.
	failed error
	// notes are said to people.
	notes []string
}

func (v *verdict) exit() int {
	switch v.Verdict {
	case linear.OK:
		return exitPass
	case linear.Violation:
		return exitViolation
	}
	return exitInconclusive
}

// errInterrupted is what ends the work on a file after an interrupt.
var errInterrupted = errors.New("interrupted")

// internalError is a panic.
type internalError struct {
	what  any
	stack []byte
}

func (e *internalError) Error() string { return fmt.Sprintf("internal error: %v", e.what) }

// guarded turns a panic into an error, so that other files are judged still.
func guarded(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &internalError{r, debug.Stack()}
		}
	}()
	return do()
}

// patiently runs do until it ends. After an interrupt it waits for a moment
// longer and leaves do behind, to end with the process: a read from standard
// input, or a pipe, can't be called back.
func patiently(ctx context.Context, moment time.Duration, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- guarded(do) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(moment):
		return errInterrupted
	}
}

// exitOf prints an error, if there is one, and tells its exit code.
func exitOf(err error, stderr io.Writer) int {
	if err == nil {
		return exitPass
	}
	var out *history.OutputError
	var bug *internalError
	code := exitUsage
	switch {
	case errors.As(err, &bug):
		err, code = fmt.Errorf("%w\n%s", err, bug.stack), exitInternal
	case errors.As(err, &out):
		code = exitInternal
	case errors.Is(err, errInterrupted):
		code = exitInconclusive
	}
	fmt.Fprintf(stderr, "checker: %v\n", err)
	return code
}
