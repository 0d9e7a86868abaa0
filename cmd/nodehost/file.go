// SPDX-License-Identifier: Apache-2.0

package main

import (
	"log/slog"
	"path/filepath"
	"time"

	"github.com/lni/dragonboat/v3/config"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/daemon"
	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/drummer/rafttcp"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

const (
	defaultRTT    = 100 * time.Millisecond
	defaultShards = 4
	maxShards     = 64
)

// file is a NodeHost's configuration file.
type file struct {
	DataDir     string            `yaml:"data_dir"`
	RaftAddress string            `yaml:"raft_address"`
	APIAddress  string            `yaml:"api_address"`
	Drummers    []string          `yaml:"drummers"`
	Region      string            `yaml:"region"`
	Labels      map[string]string `yaml:"labels"`
	// Weight is how much this NodeHost can carry, relative to others; 0: 100.
	Weight uint32 `yaml:"weight"`
	// RaftListen and APIListen default to the addresses above.
	RaftListen string        `yaml:"raft_listen"`
	APIListen  string        `yaml:"api_listen"`
	RTT        time.Duration `yaml:"rtt"`
	// Shards is how many LogDB shards and workers Dragonboat uses. It can't be
	// changed once data_dir is in use.
	Shards uint64 `yaml:"shards"`
	// Version is that of the bundled state machines, 1 or 2. Each reads what the other
	// wrote, so that hosts can be upgraded one by one, and set back.
	Version int `yaml:"statemachine_version"`

	daemon.Common `yaml:",inline"`
}

func load(path string) (*file, error) {
	f := &file{RTT: defaultRTT, Shards: defaultShards, Version: int(kv.V1)}
	return f, program.LoadYAML(path, f)
}

func (f *file) apiListen() string {
	if f.APIListen != "" {
		return f.APIListen
	}
	return f.APIAddress
}

func (f *file) raftListen() string {
	if f.RaftListen != "" {
		return f.RaftListen
	}
	return f.RaftAddress
}

func (f *file) check(path string, plaintext bool) error {
	bad := func(format string, args ...any) error {
		return program.Usagef("%s: "+format, append([]any{path}, args...)...)
	}
	switch {
	case f.DataDir == "":
		return bad("data_dir is missing")
	case f.RaftAddress == "" || f.APIAddress == "":
		return bad("raft_address and api_address are both needed")
	case len(f.Drummers) == 0:
		return bad("drummers is empty; list the addresses of the Drummer servers")
	case f.RTT < time.Millisecond:
		return bad("rtt is %v, it must be at least 1ms", f.RTT)
	case f.Shards < 1 || f.Shards > maxShards:
		return bad("shards is %d, 1 to %d are allowed", f.Shards, maxShards)
	case f.Version < int(kv.V1) || f.Version > int(kv.V2):
		return bad("statemachine_version is %d, %d to %d are allowed", f.Version, kv.V1, kv.V2)
	}
	if err := f.CheckLimits(); err != nil {
		return bad("%v", err)
	}
	return f.CheckListens(plaintext, f.apiListen(), f.raftListen())
}

// applicationDir is where on-disk state machines keep their data.
func (f *file) applicationDir() string { return filepath.Join(f.DataDir, "applications") }

func (f *file) nodehost(events *agent.Listener, certs *rpc.Certificates, log *slog.Logger) config.NodeHostConfig {
	logdb := config.GetSmallMemLogDBConfig()
	logdb.Shards = f.Shards
	return config.NodeHostConfig{
		RaftAddress:         f.RaftAddress,
		ListenAddress:       f.RaftListen,
		NodeHostDir:         filepath.Join(f.DataDir, "raft"),
		RTTMillisecond:      uint64(f.RTT / time.Millisecond),
		RaftEventListener:   events,
		SystemEventListener: events,
		MutualTLS:           !f.TLS.Empty(),
		CAFile:              f.TLS.CA,
		CertFile:            f.TLS.Cert,
		KeyFile:             f.TLS.Key,
		Expert: config.ExpertConfig{
			LogDB: logdb,
			TransportFactory: &rafttcp.Factory{
				Limits: f.RaftLimits, Log: log,
				ServerTLS: role.Demand(role.NodeHost, certs.Server()), ClientTLS: role.Expect(role.NodeHost, certs.Client()),
				Speaks: role.SpeaksFor,
			},
			Engine: config.EngineConfig{
				ExecShards: f.Shards, CommitShards: f.Shards, ApplyShards: f.Shards,
				SnapshotShards: 2 * f.Shards, CloseShards: f.Shards,
			},
		},
	}
}
