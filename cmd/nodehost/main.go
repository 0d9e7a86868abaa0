// SPDX-License-Identifier: Apache-2.0

// Command nodehost is a NodeHost with Drummer's agent, the NodeHost API and the
// bundled key-value state machines. docs/operating-drummer.md shows it at work;
// applications build their own with packages agent and nodehostapi.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/daemon"
	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
	"github.com/drumbeat-raft/drumbeat/drummer/nodehostapi"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

func main() {
	daemon.Daemon{
		Name:  "nodehost",
		Short: "Run a NodeHost with the bundled key-value state machines",
		Run:   run,
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
	log, certs, err := file.Begin(ctx, role.Bears(role.NodeHost, file.RaftAddress))
	if err != nil {
		return err
	}
	socket, err := net.Listen("tcp", file.apiListen())
	if err != nil {
		return fmt.Errorf("the NodeHost API can't listen: %w", err)
	}
	events := agent.NewListener(nil, nil)
	nodehost, disk, err := diskcheck.Start(file.nodehost(events, certs, log), log)
	if errors.Is(err, diskcheck.ErrDamaged) {
		err = fmt.Errorf("%w. What is left of its replicas must not go on from there: move %s away, look after the disk, and start again on an empty directory; Drummer replaces the replicas", err, file.DataDir)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("the NodeHost can't be started: %w", err), socket.Close())
	}
	defer nodehost.Stop()
	drummerAgent, err := agent.New(nodehost, agent.Config{
		Drummers:   file.Drummers,
		APIAddress: file.APIAddress,
		Region:     file.Region,
		Labels:     file.Labels,
		Weight:     file.Weight,
		Registry:   statemachine.Registry(vfs.Default, file.applicationDir(), statemachine.CorrectOf(kv.Version(file.Version))),
		Listener:   events,
		Disk:       disk,
		TLS:        certs.Client(),
		Logger:     log,
	})
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	defer drummerAgent.Close()
	api, err := nodehostapi.New(nodehost, nodehostapi.Config{Listener: socket, TLS: certs.Server(), Limits: file.Limits, Recovery: drummerAgent, Logger: log})
	if err != nil {
		return err
	}
	defer api.Close()
	log.Info("NodeHost runs", "id", nodehost.ID(), "raft", file.RaftAddress, "api", file.apiListen(), "tls", certs != nil)
	<-ctx.Done()
	return nil
}
