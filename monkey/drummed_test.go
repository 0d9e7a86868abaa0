// SPDX-License-Identifier: Apache-2.0

package monkey_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/lni/dragonboat/v3/config"
	sm "github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	"github.com/drumbeat-raft/drumbeat/drummer/nodehostapi"
	"github.com/drumbeat-raft/drumbeat/monkey"
)

// remoteCounters are counters that are asked by name over the network.
type remoteCounters struct{ release }

func (c *remoteCounters) Lookup(query any) (any, error) {
	return binary.BigEndian.AppendUint64(nil, c.of[query.([]byte)[0]]), nil
}

// underDrummer is a program of one's own whose Raft clusters Drummer places: a
// NodeHost, the agent, and the API that clients call.
func underDrummer(ctx context.Context, env monkey.Env) error {
	listener := agent.NewListener(nil, nil)
	nodehost, err := env.NodeHost(config.NodeHostConfig{RaftEventListener: listener, SystemEventListener: listener})
	if err != nil {
		return err
	}
	defer nodehost.Stop()
	address := env.Name + ":7000"
	socket, err := env.Listen(address)
	if err != nil {
		return err
	}
	api, err := nodehostapi.New(nodehost, nodehostapi.Config{Listener: socket})
	if err != nil {
		return err
	}
	defer api.Close()
	a, err := agent.New(nodehost, agent.Config{
		Drummers: env.Drummers, APIAddress: address, Listener: listener, Rand: env.Rand, Logger: env.Logger,
		Dial: func(ctx context.Context, address string) (net.Conn, error) { return env.Dial(ctx, "tcp", address) },
		Registry: map[string]agent.Application{env.Application: {
			Regular: func(_, _ uint64) sm.IStateMachine {
				return &remoteCounters{release{counters{of: map[byte]uint64{}}, byte(env.Version)}}
			},
		}},
	})
	if err != nil {
		return err
	}
	defer a.Close()
	<-ctx.Done()
	return nil
}

// counter is a client of underDrummer.
type counter struct{ drummer *client.Client }

func connectToCounters(env monkey.ClientEnv) (monkey.Client[count, uint64], error) {
	c, err := client.New(client.Config{Drummers: env.Drummers, Rand: env.Rand,
		Dial: func(ctx context.Context, address string) (net.Conn, error) { return env.Dial(ctx, "tcp", address) }})
	return &counter{c}, err
}

func (c *counter) Do(ctx context.Context, cluster uint64, op count) (uint64, error) {
	if op.By == 0 {
		answer, err := c.drummer.Read(ctx, cluster, []byte{op.Name})
		if err != nil {
			return 0, errors.Join(err, monkey.ErrNoEffect)
		}
		return binary.BigEndian.Uint64(answer), nil
	}
	result, err := c.drummer.Propose(ctx, cluster, []byte{op.Name, op.By})
	if err != nil && client.OutcomeOf(err) == client.NoEffect {
		err = errors.Join(err, monkey.ErrNoEffect)
	}
	return result.GetValue(), err
}

func (c *counter) Close() error {
	c.drummer.Close()
	return nil
}

// A program of one's own under Drummer: a host that never comes back has its members
// replaced, the others are upgraded and set back, and the counters count right.
func TestAProgramOfOnesOwnUnderDrummer(t *testing.T) {
	monkey.Test(t, monkey.Config{
		Scenario: `
name: program-under-drummer
description: A program of one's own, which Drummer places clusters on, loses hosts.
duration: 2m
deployment: {drummers: 3, nodehosts: 5}
clusters: {count: 4, size: 3, snapshot_entries: 20, compaction_overhead: 5}
workload: {clients: 30, rate: 20}
faults:
  - {kind: kill, target: nodehost, every: 30s, for: 5s..10s, at_least: 1}
  - {kind: partition, target: nodehost, every: 40s, for: 5s..10s, at_least: 1}
  - {kind: power-loss, target: nodehost, count: 1, forever: true, before: 60s, at_least: 1}
  - {kind: upgrade, target: nodehost, every: 15s, for: 1s..3s, at_least: 3}
expect:
  replaced: ">= 1"
  upgrades: ">= 3"
  unavailable: none
`,
		Host:     underDrummer,
		Workload: monkey.Workload[count, uint64]{Next: counting.Next, Connect: connectToCounters, ReadOnly: func(c count) bool { return c.By == 0 }},
		Model: monkey.Model[uint64, count, uint64]{
			Init: sum.Init, Apply: sum.Apply, Partition: func(c count) string { return fmt.Sprint(c.Name) },
		},
		Seeds: 2,
	})
}
