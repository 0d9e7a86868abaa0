// SPDX-License-Identifier: Apache-2.0

// Command drummer is a Drummer server. docs/operating-drummer.md shows it at
// work.
package main

import (
	"context"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/daemon"
	"github.com/drumbeat-raft/drumbeat/drummer"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
)

func main() {
	daemon.Daemon{
		Name:  "drummer",
		Short: "Run a Drummer server",
		Long:  "Run a Drummer server: one of usually three replicas of the Master that places, watches and repairs Raft clusters.",
		Run:   run,

		Commands: []*cobra.Command{salvage()},
	}.Main()
}

func run(ctx context.Context, path string, plaintext bool) error {
	file, err := load(path)
	if err != nil {
		return err
	}
	if err := file.check(path, plaintext); err != nil {
		return err
	}
	log, certs, err := file.Begin(ctx, role.Bears(role.Server, ""))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", file.listen())
	if err != nil {
		return fmt.Errorf("the server can't listen: %w", err)
	}
	config := file.config(certs, log)
	config.Listener, config.TLS, config.ClientTLS, config.Logger = listener, certs.Server(), certs.Client(), log
	server, err := drummer.New(config)
	if err != nil {
		return err
	}
	log.Info("Drummer server runs", "node", file.NodeID, "address", file.listen(), "tls", certs != nil)
	defer server.Close()
	select {
	case <-ctx.Done():
		return nil
	case err := <-server.Failed():
		return err
	}
}
