// SPDX-License-Identifier: Apache-2.0

// Command drummer is a Drummer server. docs/operating-drummer.md shows it at
// work.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer"
)

func main() {
	err := command().Execute()
	if err != nil {
		fmt.Fprintln(os.Stderr, "drummer:", err)
	}
	os.Exit(program.ExitCode(err))
}

func command() *cobra.Command {
	var path string
	var plaintext bool
	cmd := &cobra.Command{
		Use:           "drummer --config FILE",
		Short:         "Run a Drummer server",
		Long:          "Run a Drummer server: one of usually three replicas of the Master that places, watches and repairs Raft clusters.",
		Args:          func(cmd *cobra.Command, args []string) error { return usage(cobra.NoArgs(cmd, args)) },
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(*cobra.Command, []string) error { return run(path, plaintext) },
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	cmd.Flags().StringVar(&path, "config", "", "configuration file")
	cmd.Flags().BoolVar(&plaintext, "plaintext", false, "listen beyond loopback without TLS, when the file says so too")
	return cmd
}

func usage(err error) error {
	if err == nil {
		return nil
	}
	return program.UsageError{Err: err}
}

func run(path string, plaintext bool) error {
	if path == "" {
		return usage(errors.New("--config is missing"))
	}
	file, err := load(path)
	if err != nil {
		return err
	}
	if err := file.check(path, plaintext); err != nil {
		return err
	}
	log, err := program.Log(file.LogLevel)
	if err != nil {
		return err
	}
	serverTLS, clientTLS, err := file.TLS.Load()
	if err != nil {
		return usage(err)
	}
	listener, err := net.Listen("tcp", file.listen())
	if err != nil {
		return fmt.Errorf("the server can't listen: %w", err)
	}
	config := file.config()
	config.Listener, config.TLS, config.ClientTLS, config.Logger = listener, serverTLS, clientTLS, log
	server, err := drummer.New(config)
	if err != nil {
		return err
	}
	log.Info("Drummer server runs", "node", file.NodeID, "address", file.listen(), "tls", serverTLS != nil)
	program.UntilSignal()
	server.Close()
	return nil
}
