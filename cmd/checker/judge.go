// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker"
	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
)

// judgeAll deals with one file after the other until it is interrupted.
func judgeAll(ctx context.Context, o *options, paths []string, stdout, stderr io.Writer) (code int) {
	for i, path := range paths {
		if i > 0 && ctx.Err() != nil {
			fmt.Fprintf(stderr, "checker: interrupted: %d of %d files were not judged, from %s on\n", len(paths)-i, len(paths), path)
			return program.Worse(code, program.ExitInconclusive)
		}
		code = program.Worse(code, judge(ctx, o, path, stdout, stderr))
	}
	return code
}

// judge deals with one file and returns its exit code. Its verdict is printed
// before anything else can go wrong.
func judge(ctx context.Context, o *options, path string, stdout, stderr io.Writer) int {
	start := time.Now()
	h, read, err := load(ctx, o, path, stderr)
	if o.convert != "" {
		if err == nil {
			err = convert(ctx, o, h)
		}
		return exitOf(err, stderr)
	}
	var v checker.Result
	if err == nil {
		v, err = check(ctx, o, h)
	}
	if errors.Is(err, errInterrupted) {
		v.Result = linear.Result{Verdict: linear.Unknown, Engine: linear.None, Ops: read, Explanation: "interrupted before the search"}
		err = nil
	}
	took := time.Since(start)
	if err != nil {
		if o.json {
			printJSONError(stdout, path, read, took, err)
		}
		return exitOf(err, stderr)
	}
	if o.json {
		printJSON(stdout, path, &v, took)
	} else {
		printText(stdout, stderr, path, &v, took)
	}
	for _, note := range v.Notes {
		fmt.Fprintf(stderr, "  %s\n", note)
	}
	if o.viz != "" {
		err = drawPage(ctx, o, h, v.Result)
	}
	return program.Worse(exitOfVerdict(v.Verdict), exitOf(errors.Join(err, v.Uncertified), stderr))
}

func exitOfVerdict(v linear.Verdict) int {
	switch v {
	case linear.OK:
		return program.ExitPass
	case linear.Violation:
		return program.ExitViolation
	}
	return program.ExitInconclusive
}

// load reads a history. It also returns how many operations were read: after
// an interrupt, when the read may still go on, up to then.
func load(ctx context.Context, o *options, path string, stderr io.Writer) (*checker.History, int, error) {
	m, err := model.ByName(o.model)
	if err != nil {
		return nil, 0, err
	}
	show := newProgress(o, path, stderr)
	defer show.end()
	var read atomic.Int64
	opts := checker.Options{Format: history.Format(o.format), Model: m, Whole: o.convert != "", Progress: func(ops int64) {
		read.Store(ops)
		show.update(ops)
	}}
	var h *checker.History
	err = interruptible(ctx, 0, func() (err error) {
		loaded, err := checker.Load(ctx, path, opts)
		if errors.Is(err, context.Canceled) {
			return errInterrupted
		}
		h = loaded
		return err
	})
	if err != nil {
		return nil, int(read.Load()), err
	}
	return h, h.Len(), nil
}

// grace is how long a check may go on after an interrupt. Searches end within
// milliseconds; what takes longer is to lay out a history of millions.
const grace = time.Second

// check judges a history.
func check(ctx context.Context, o *options, h *checker.History) (v checker.Result, err error) {
	var result checker.Result // not v, which may be returned while the check goes on
	err = interruptible(ctx, grace, func() (err error) {
		result, err = h.Check(ctx, linear.Options{Engine: o.engine, Timeout: o.timeout, Memory: o.memoryBytes, Certify: o.certify})
		if errors.Is(err, context.Canceled) {
			return errInterrupted
		}
		return err
	})
	if err != nil {
		return v, err
	}
	return result, nil
}

// errInterrupted is what ends the work on a file after an interrupt.
var errInterrupted = errors.New("interrupted")

// internalError is a panic.
type internalError struct {
	what  any
	stack []byte
}

func (e *internalError) Error() string { return fmt.Sprintf("internal error: %v", e.what) }

// recovered turns a panic into an error, so that other files are judged still.
func recovered(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &internalError{r, debug.Stack()}
		}
	}()
	return do()
}

// interruptible runs do until it ends. After an interrupt it waits for a
// moment longer and leaves do behind, to end with the process: a read from
// standard input, or a pipe, can't be called back.
func interruptible(ctx context.Context, moment time.Duration, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- recovered(do) }()
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

// exitOf prints an error, if there is one, and returns its exit code.
func exitOf(err error, stderr io.Writer) int {
	if err == nil {
		return program.ExitPass
	}
	var out *history.OutputError
	var bug *internalError
	code := program.ExitUsage
	switch {
	case errors.As(err, &bug):
		err, code = fmt.Errorf("%w\n%s", err, bug.stack), program.ExitInternal
	case errors.As(err, &out):
		code = program.ExitInternal
	case errors.Is(err, errInterrupted):
		code = program.ExitInconclusive
	}
	var mistakes *history.InputErrors
	if errors.As(err, &mistakes) { // a line each
		fmt.Fprintf(stderr, "checker: %s\n", strings.ReplaceAll(mistakes.Error(), "\n", "\nchecker: "))
		return code
	}
	fmt.Fprintf(stderr, "checker: %v\n", err)
	return code
}
