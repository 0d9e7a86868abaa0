// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
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
	config := f.config()
	require.Equal(t, uint64(20), config.Policy.TTL)
	require.Equal(t, time.Second, config.Tick)
	require.Equal(t, "127.0.0.1:1", config.NodeHost.RaftAddress)
	require.False(t, config.NodeHost.MutualTLS)
}

func TestMistakesInTheFile(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "the file is empty",
		"node_id: one":                      "drummer.yaml:1: ",
		good + "nodeid: 1":                  "drummer.yaml:7: field nodeid not found",
		good + "---\n" + good:               "more than one document",
		"deployment_id: 1":                  "node_id is missing",
		"node_id: 1":                        "deployment_id is missing",
		"node_id: 1\ndeployment_id: 1":      "data_dir is missing",
		good + "rtt: 1us":                   "rtt is 1µs",
		good + "heartbeat: 1ms":             "heartbeat is 1ms",
		good + "heartbeat: 10s":             "at least five heartbeats",
		good + "listen: 0.0.0.0:2":          "0.0.0.0:2 is not a loopback address",
		good + "raft_listen: 192.168.0.1:1": "192.168.0.1:1 is not a loopback address",
		"node_id: 2\ndeployment_id: 1\ndata_dir: d\nmembers: {1: {raft_address: a, address: b}}": "no entry for node_id 2",
		"node_id: 1\ndeployment_id: 1\ndata_dir: d\nmembers: {1: {raft_address: a}}":             "needs a raft_address and an address",
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
