// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/exact/overlay"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

// itself is the package of this command.
const itself = "github.com/drumbeat-raft/drumbeat/cmd/monkey"

// becomeExact goes on with this command line in a program that was built with
// the overlay, unless this is one.
func becomeExact(ctx context.Context) error {
	if exact.Built() == nil {
		return nil
	}
	binary, err := overlay.Build{Package: itself, Announce: os.Stderr}.Run(ctx)
	if err != nil {
		return fmt.Errorf("--exact: %w", err)
	}
	return fmt.Errorf("--exact: go on in %s: %w", binary, syscall.Exec(binary, os.Args, os.Environ()))
}

// compareExecutions says on standard error whether two exact runs were the same
// execution, and where they part if not.
func compareExecutions(first, second string) (same bool, err error) {
	var traces [2]*exact.Trace
	for i, dir := range []string{first, second} {
		if traces[i], err = exact.OpenTrace(filepath.Join(dir, rundir.TraceFile)); err != nil {
			return false, err
		}
		defer traces[i].Close()
	}
	difference, err := exact.Compare(traces[0], traces[1])
	if err != nil {
		return false, fmt.Errorf("compare the executions in %s and %s: %w", first, second, err)
	}
	if difference != nil {
		fmt.Fprintln(os.Stderr, difference)
		return false, nil
	}
	fmt.Fprintln(os.Stderr, "the same execution, to the last decision of the scheduler")
	return true, nil
}

func overlayCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "overlay",
		Short: "Print the path of the overlay for `go build` and `go test` that makes a simulation exactly repeatable",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := overlay.File(cmd.Context())
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), file)
			return nil
		},
	}
}
