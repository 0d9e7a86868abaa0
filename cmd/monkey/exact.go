// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/exact/overlay"
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
