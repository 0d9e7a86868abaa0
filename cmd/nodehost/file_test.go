// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/agent"
)

const good = `data_dir: /data
raft_address: 127.0.0.1:1
api_address: 127.0.0.1:2
drummers: [127.0.0.1:3]
`

func checked(t *testing.T, text string, plaintext bool) (*file, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nodehost.yaml")
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
	require.Equal(t, "/data/applications", f.applicationDir())
	conf := f.nodehost(agent.NewListener(nil, nil), nil, nil)
	require.NoError(t, conf.Validate())
	require.Equal(t, "/data/raft", conf.NodeHostDir)
	require.Equal(t, 1, f.Version)
}

func TestMistakesInTheFile(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "the file is empty",
		good + "labels: [a]":  "nodehost.yaml:5: ",
		good + "regoin: west": "field regoin not found",
		"raft_address: a":     "data_dir is missing",
		"data_dir: d":         "raft_address and api_address",
		"data_dir: d\nraft_address: a\napi_address: b": "drummers is empty",
		good + "shards: 65":                            "shards is 65",
		good + "statemachine_version: 3":               "statemachine_version is 3, 1 to 2 are allowed",
		good + "limits: {peer_bytes: 1}":               "limits: peer_bytes is 1; it must be at least 33554432",
		good + "raft_limits: {strangers: -1}":          "raft_limits has connections 8192 and strangers -1",
		good + "rtt: 0s":                               "rtt is 0s",
		good + "api_listen: 10.0.0.1:80":               "10.0.0.1:80 is not a loopback address",
	} {
		_, err := checked(t, text, false)
		require.ErrorContains(t, err, want, text)
		require.Equal(t, program.ExitUsage, program.ExitCode(err), text)
	}
}
