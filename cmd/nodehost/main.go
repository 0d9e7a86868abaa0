// SPDX-License-Identifier: Apache-2.0

// Command nodehost is a NodeHost with Drummer's agent, the NodeHost API and the
// bundled key-value state machines. docs/operating-drummer.md shows it at work;
// applications build their own with packages agent and nodehostapi.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/goutils/vfs"
	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/drummer/nodehostapi"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
)

func main() {
	err := command().Execute()
	if err != nil {
		fmt.Fprintln(os.Stderr, "nodehost:", err)
	}
	os.Exit(program.ExitCode(err))
}

func command() *cobra.Command {
	var path string
	var plaintext bool
	cmd := &cobra.Command{
		Use:           "nodehost --config FILE",
		Short:         "Run a NodeHost with the bundled key-value state machines",
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

func run(path string, plaintext bool) (err error) {
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
	socket, err := net.Listen("tcp", file.apiListen())
	if err != nil {
		return fmt.Errorf("the NodeHost API can't listen: %w", err)
	}
	events := agent.NewListener(nil, nil)
	nodehost, err := dragonboat.NewNodeHost(file.nodehost(events))
	if err != nil {
		return errors.Join(fmt.Errorf("the NodeHost can't be started: %w", err), socket.Close())
	}
	defer nodehost.Stop()
	api, err := nodehostapi.New(nodehost, nodehostapi.Config{Listener: socket, TLS: serverTLS})
	if err != nil {
		return err
	}
	defer api.Close()
	hand, err := agent.New(nodehost, agent.Config{
		Drummers:   file.Drummers,
		APIAddress: file.APIAddress,
		Region:     file.Region,
		Labels:     file.Labels,
		Weight:     file.Weight,
		Registry:   statemachine.Registry(vfs.Default, file.applicationDir(), statemachine.Correct),
		Listener:   events,
		TLS:        clientTLS,
		Logger:     log,
	})
	if err != nil {
		return err
	}
	defer hand.Close()
	log.Info("NodeHost runs", "id", nodehost.ID(), "raft", file.RaftAddress, "api", file.apiListen(), "tls", serverTLS != nil)
	program.UntilSignal()
	return nil
}
