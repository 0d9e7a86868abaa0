// SPDX-License-Identifier: Apache-2.0

// Command monkey runs chaos scenarios against a Drummer deployment and judges
// what came of them. `monkey help` lists its verbs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
)

func main() {
	harness.MainIfChild() // does not return in a process that holds a world
	// The first interrupt ends runs in good order, a second one at once.
	program.Main(func(ctx context.Context) int { return run(ctx, os.Args[1:]) })
}

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string) int {
	code := program.ExitPass
	root := command(&code)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return program.ExitCode(err)
	}
	return code
}

// exitCode is the exit code for a verdict.
func exitCode(v judge.Verdict) int {
	switch v {
	case judge.Pass:
		return program.ExitPass
	case judge.Violation:
		return program.ExitViolation
	}
	return program.ExitInconclusive
}

// withCode gives an error of the engine the exit code it deserves.
func withCode(err error) error {
	if usage := (harness.UsageError{}); errors.As(err, &usage) {
		return program.Usage(err)
	}
	return err
}

func command(code *int) *cobra.Command {
	root := &cobra.Command{
		Use:   "monkey",
		Short: "Break a Drummer deployment and judge whether it was repaired and stayed correct",
		Long: `monkey runs chaos scenarios against a Drummer deployment and judges what came of them.

Exit codes: 0 pass, 1 violation, 2 inconclusive, 64 bad usage or invalid input, 70 internal error.`,
	}
	root.AddCommand(runCommand(code), soakCommand(code), benchCommand(code), replayCommand(code), shrinkCommand(code), checkCommand(code), coverageCommand(), serveCommand(),
		listCommand(), faultsCommand(), checksCommand(), overlayCommand(), validateCommand(), schemaCommand(), versionCommand())
	program.Strict(root)
	return root
}
