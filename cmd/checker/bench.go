// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/drumbeat-raft/drumbeat/checker/internal/bench"
)

// bench prints the table of ratios against porcupine.
func bench(ctx context.Context, o *options, stdout, stderr io.Writer) int {
	err := ratios.Run(ctx, stdout, ratios.Options{Limit: o.benchLimit, Shared: ratios.Shared("."), Big: true})
	switch {
	case errors.Is(err, context.Canceled):
		return exitInconclusive
	case err != nil:
		fmt.Fprintf(stderr, "checker: %v\n", err)
		return exitViolation
	}
	return exitPass
}
