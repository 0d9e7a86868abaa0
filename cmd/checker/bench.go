// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/drumbeat-raft/drumbeat/checker/selftest/bench"
	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
)

// runBench prints how the checker does on this machine. A goal that is not met,
// or could not be measured, is inconclusive: machines differ. A wrong verdict
// is a violation.
func runBench(ctx context.Context, o *options, stdout, stderr io.Writer) int {
	opts := bench.Options{Limit: o.benchLimit, Histories: bench.Histories("."), Big: true}
	if self, err := os.Executable(); err == nil {
		opts.Command = []string{self, "--quiet"}
	}
	sum, err := bench.Run(ctx, stdout, opts)
	switch {
	case errors.Is(err, context.Canceled):
		return program.ExitInconclusive
	case err != nil:
		fmt.Fprintf(stderr, "checker: %v\n", err)
		return program.ExitViolation
	case !sum.OK():
		return program.ExitInconclusive
	}
	return program.ExitPass
}
