// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/selftest/compare"
	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
)

// runCompare holds the engines against porcupine on random histories.
func runCompare(ctx context.Context, o *options, stdout, stderr io.Writer) int {
	start := time.Now()
	tell := func(r compare.Report) {
		if !o.quiet {
			fmt.Fprintf(stderr, "%d histories compared, %v\n", r.Histories, time.Since(start).Round(time.Second))
		}
	}
	r, err := compare.Run(ctx, o.seed, o.compare, tell)
	fmt.Fprintf(stdout, "seed %d: %d histories (%d ops; %d ok, all certified; %d violations, all cores confirmed), %v\n",
		o.seed, r.Histories, r.Operations, r.OK, r.Violations, time.Since(start).Round(time.Millisecond))
	for _, engine := range slices.Sorted(maps.Keys(r.Engines)) {
		fmt.Fprintf(stdout, "  decided by %s: %d\n", engine, r.Engines[engine])
	}
	switch {
	case errors.Is(err, context.Canceled):
		return program.ExitInconclusive
	case err != nil:
		fmt.Fprintf(stdout, "disagreement: %v\n", err)
		return program.ExitViolation
	}
	return program.ExitPass
}
