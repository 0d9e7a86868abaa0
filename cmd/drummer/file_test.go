// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

const good = `node_id: 1
deployment_id: 42
data_dir: /data
members:
  1: {raft_address: 127.0.0.1:1, address: 127.0.0.1:2}
time_to_live: 20s
`

// checked writes a configuration and says what is wrong with it.
func checked(t *testing.T, text string, plaintext bool) (*file, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "drummer.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	f, err := load(path)
	if err == nil {
		err = f.check(path, plaintext)
	}
	return f, err
}

func TestGoodFile(t *testing.T) {
	f, err := checked(t, good, false)
	require.NoError(t, err)
	config := f.config(nil, nil)
	require.Equal(t, uint64(20), config.Policy.TTL)
	require.Equal(t, time.Second, config.Tick)
	require.Equal(t, "127.0.0.1:1", config.NodeHost.RaftAddress)
	require.False(t, config.NodeHost.MutualTLS)
}

func TestPolicyInTheFile(t *testing.T) {
	f, err := checked(t, good, false)
	require.NoError(t, err)
	want := schedule.DefaultPolicy()
	want.TTL = 20
	require.Equal(t, want, f.config(nil, nil).Policy)
	f, err = checked(t, good+`heartbeat: 500ms
policy:
  suspect: 2s
  operation_deadline: 15s
  backoff: 1s
  backoff_cap: 1m
  start_backoff_cap: 20s
  join_limit: 10m
  start_attempts: 3
  operations_per_host: 8
  operations_total: 100
  joins_per_host: 2
  fuse_hosts: 1
  fuse_percent: 30
  fuse_region_percent: 50
  fuse_hold: 1h
  quarantine: 10s
  quarantine_cap: 1h
  balance_nodes: 0
  balance_leaders: 9
  balance_percent: 10
  balance_moves: 4
  balance_calm: 5m
  restarts: 0
`, false)
	require.NoError(t, err)
	require.Equal(t, schedule.Policy{
		TTL: 40, Suspect: 4, OperationDeadline: 30, Backoff: 2, BackoffCap: 120, StartCap: 40, JoinLimit: 1200, StartAttempts: 3,
		OperationsPerHost: 8, OperationsTotal: 100, JoinsPerHost: 2, FuseHosts: 1, FusePercent: 30, FuseRegionPercent: 50, FuseHold: 7200,
		Quarantine: 20, QuarantineCap: 7200, BalanceLeaders: 9, BalancePercent: 10, BalanceMoves: 4, BalanceCalm: 600,
	}, f.config(nil, nil).Policy)
}

func TestMistakesInTheFile(t *testing.T) {
	for text, want := range map[string]string{
		"":                                           "the file is empty",
		"node_id: one":                               "drummer.yaml:1: ",
		good + "nodeid: 1":                           "drummer.yaml:7: field nodeid not found",
		good + "---\n" + good:                        "more than one document",
		"deployment_id: 1":                           "node_id is missing",
		"node_id: 1":                                 "deployment_id is missing",
		"node_id: 1\ndeployment_id: 1":               "data_dir is missing",
		good + "rtt: 1us":                            "rtt is 1µs",
		good + "heartbeat: 1ms":                      "heartbeat is 1ms",
		good + "heartbeat: 10s":                      "at least five heartbeats",
		good + "listen: 0.0.0.0:2":                   "0.0.0.0:2 is not a loopback address",
		good + "raft_listen: 192.168.0.1:1":          "192.168.0.1:1 is not a loopback address",
		good + "policy: {joins_per_host: 0}":         "drummer.yaml:7: policy: joins_per_host is 0, it must be from 1",
		good + "policy:\n  fuse_percent: 101":        "drummer.yaml:8: policy: fuse_percent is 101, it must be from 1 to 100",
		good + "policy:\n  join_limit: 1s":           "drummer.yaml:8: policy: join_limit is 1s, it must be from 10s (10 heartbeats)",
		good + "policy:\n  join_limit: soon":         "drummer.yaml:8: ",
		good + "policy:\n  suspect: 20s":             "drummer.yaml:8: policy: suspect is 20s, it must be shorter than time_to_live",
		good + "policy:\n  backoff_cap: 1s":          "drummer.yaml:8: policy: backoff_cap is shorter than backoff",
		good + "policy:\n  start_backoff_cap: 10m":   "drummer.yaml:8: policy: start_backoff_cap is longer than 300 heartbeats",
		good + "policy:\n  quarantine: 2h":           "drummer.yaml:8: policy: quarantine_cap is shorter than quarantine",
		good + "policy:\n  operation_deadline: 100h": "drummer.yaml:8: policy: operation_deadline is 100h0m0s, more than 100000 heartbeats",
		good + "policy:\n  balance: 1":               "drummer.yaml:8: field balance not found",
		"node_id: 2\ndeployment_id: 1\ndata_dir: d\nmembers: {1: {raft_address: a, address: b}}":                                   "no entry for node_id 2",
		"node_id: 1\ndeployment_id: 1\ndata_dir: d\nmembers: {1: {raft_address: a}}":                                               "needs a raft_address and an address",
		"node_id: 1\ndeployment_id: 1\ndata_dir: d\nmembers: {1: {raft_address: a, address: a}}":                                   "member 1 has a for its RaftAddress and for its gRPC address",
		"node_id: 1\ndeployment_id: 1\ndata_dir: d\nmembers: {1: {raft_address: a, address: b}, 2: {raft_address: a, address: c}}": "members 1 and 2 both have the address a",
		"node_id: 1\ndeployment_id: 1\ndata_dir: d\nmembers: {1: {raft_address: a, address: b}, 2: {raft_address: c, address: b}}": "members 1 and 2 both have the address b",
	} {
		_, err := checked(t, text, false)
		require.ErrorContains(t, err, want, text)
		require.Equal(t, program.ExitUsage, program.ExitCode(err), text)
	}
}

// Without TLS a server listens beyond loopback only when told twice.
func TestPlaintextIsSaidTwice(t *testing.T) {
	open := good + "listen: 0.0.0.0:2\n"
	_, err := checked(t, open+"plaintext: true\n", false)
	require.Error(t, err)
	_, err = checked(t, open, true)
	require.Error(t, err)
	_, err = checked(t, open+"plaintext: true\n", true)
	require.NoError(t, err)
	_, err = checked(t, open+"tls: {ca: a, cert: b, key: c}\n", false)
	require.NoError(t, err)
}
