// SPDX-License-Identifier: Apache-2.0

// Command monkey runs chaos scenarios against a Drummer deployment and judges
// what came of them. `monkey help` lists its verbs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/monkey"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
)

func main() {
	monkey.MainIfChild() // does not return in a process that holds a world
	os.Exit(run(os.Args[1:]))
}

// run executes a command line and returns the exit code.
func run(args []string) int {
	// The first interrupt ends runs in good order, a second one at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	code := judge.ExitPass
	root := command(&code)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitCode(err)
	}
	return code
}

// exitCode tells usage errors from ours. What cobra itself refuses (an unknown
// flag or verb) is usage; errors of the verbs say which they are.
func exitCode(err error) int {
	if ours := (internalError{}); errors.As(err, &ours) {
		return judge.ExitInternal
	}
	return judge.ExitUsage
}

// internalError is an error that is not the user's.
type internalError struct{ error }

func (e internalError) Unwrap() error { return e.error }

// sort gives an error of the engine the exit code it deserves.
func sort(err error) error {
	if usage := (monkey.UsageError{}); err == nil || errors.As(err, &usage) {
		return err
	}
	return internalError{err}
}

func command(code *int) *cobra.Command {
	root := &cobra.Command{
		Use:   "monkey",
		Short: "Break a Drummer deployment and prove that it was repaired and stayed correct",
		Long: `monkey runs chaos scenarios against a Drummer deployment and judges what came of them.

Exit codes: 0 pass, 1 violation, 2 inconclusive, 64 bad usage or invalid input, 70 internal error.`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.AddCommand(runCommand(code), soakCommand(code), replayCommand(code), checkCommand(code), serveCommand(),
		listCommand(), faultsCommand(), checksCommand(), validateCommand(), schemaCommand())
	return root
}
