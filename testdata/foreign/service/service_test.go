// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey"
)

const scenario = `
name: service-without-drummer
description: An HTTP service on three hosts that lose their power and are cut off.
duration: 4m
deployment: {drummers: 0, nodehosts: 3}
clusters: {count: 2, size: 3}
workload: {clients: 60, rate: 20}
faults:
  - {kind: power-loss, target: nodehost, every: 40s, for: 5s..10s, at_least: 2}
  - {kind: partition, target: nodehost, every: 40s, for: 5s..15s, at_least: 2}
  - {kind: kill, target: cluster-leader, every: 60s, for: 2s..5s}
`

// Op puts a value, or with none gets one.
type Op struct{ Key, Value string }

func next(r *rand.Rand) Op {
	op := Op{Key: fmt.Sprint("k", r.IntN(3))}
	if r.IntN(2) == 0 {
		op.Value = fmt.Sprintf("%016x", r.Uint64())
	}
	return op
}

// caller is a client of the service.
type caller struct {
	hosts []string
	rand  *rand.Rand
	http  *http.Client
}

func connect(env monkey.ClientEnv) (monkey.Client[Op, string], error) {
	return &caller{env.Hosts, env.Rand, &http.Client{Transport: &http.Transport{DialContext: env.Dial}}}, nil
}

// Do asks one host after the other while they refuse.
func (c *caller) Do(ctx context.Context, cluster uint64, op Op) (string, error) {
	at := c.rand.IntN(len(c.hosts))
	for {
		answer, err := c.ask(ctx, c.hosts[at%len(c.hosts)], cluster, op)
		if err == nil || ctx.Err() != nil || op.Value != "" && !errors.Is(err, monkey.ErrNoEffect) {
			return answer, err
		}
		at++
	}
}

func (c *caller) ask(ctx context.Context, host string, cluster uint64, op Op) (string, error) {
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if op.Value != "" {
		method, body = http.MethodPut, strings.NewReader(op.Value)
	}
	request, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("http://%s:80/%d/%s", host, cluster, op.Key), body)
	if err != nil {
		return "", err
	}
	response, err := c.http.Do(request)
	if dial := new(net.OpError); errors.As(err, &dial) && dial.Op == "dial" {
		return "", errors.Join(err, monkey.ErrNoEffect)
	}
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return "", err
	case response.Header.Get(NoEffect) != "":
		return "", fmt.Errorf("%s: %w", text, monkey.ErrNoEffect)
	case response.StatusCode != http.StatusOK:
		return "", errors.New(string(text))
	}
	return string(text), nil
}

func (c *caller) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

func TestTheServiceIsLinearizable(t *testing.T) {
	monkey.Test(t, monkey.Config{
		Scenario: scenario,
		Host: func(ctx context.Context, env monkey.Env) error {
			return Run(ctx, Node{
				Clusters: env.Clusters, RaftAddress: env.RaftAddress, NewNodeHost: env.NodeHost,
				Listen: func() (net.Listener, error) { return env.Listen(env.Name + ":80") },
			})
		},
		Workload: monkey.Workload[Op, string]{
			Next:     next,
			Connect:  connect,
			ReadOnly: func(op Op) bool { return op.Value == "" },
		},
		Model: monkey.KeyValue[Op, string]{
			Operation: func(op Op) history.Op {
				if op.Value == "" {
					return history.Op{Kind: history.Get, Key: op.Key}
				}
				return history.Op{Kind: history.Put, Key: op.Key, Value: history.String(op.Value)}
			},
			Answer: func(op Op, answer string) history.Answer {
				switch {
				case op.Value != "":
					return history.Answer{}
				case answer == "":
					return history.Answer{Observed: history.Absent}
				}
				return history.Answer{Observed: history.String(answer)}
			},
		},
		Seeds: 3,
	})
}
