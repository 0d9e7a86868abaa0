// SPDX-License-Identifier: Apache-2.0

package main

import (
	"log/slog"
	"time"

	"github.com/lni/dragonboat/v3/config"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/daemon"
	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer"
	"github.com/drumbeat-raft/drumbeat/drummer/rafttcp"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// What the configuration file does not say, and the least that it may.
const (
	defaultRTT        = 100 * time.Millisecond
	defaultHeartbeat  = time.Second
	defaultTimeToLive = 15 * time.Second
	leastHeartbeat    = 10 * time.Millisecond
)

// file is a Drummer server's configuration file.
type file struct {
	NodeID       uint64            `yaml:"node_id"`
	DeploymentID uint64            `yaml:"deployment_id"`
	DataDir      string            `yaml:"data_dir"`
	Members      map[uint64]member `yaml:"members"`
	// Join is set for a server that was added to a running deployment.
	Join bool `yaml:"join"`
	// Listen and RaftListen default to this server's addresses in Members.
	Listen     string        `yaml:"listen"`
	RaftListen string        `yaml:"raft_listen"`
	RTT        time.Duration `yaml:"rtt"`
	Heartbeat  time.Duration `yaml:"heartbeat"`
	TimeToLive time.Duration `yaml:"time_to_live"`
	Policy     policy        `yaml:"policy"`
	Backup     backup        `yaml:"backup"`

	daemon.Common `yaml:",inline"`
}

// backup is where, how often and how many backups of DrummerDB are written.
type backup struct {
	Dir      string        `yaml:"dir"`
	Interval time.Duration `yaml:"interval"`
	Keep     int           `yaml:"keep"`
}

type member struct {
	RaftAddress string `yaml:"raft_address"`
	Address     string `yaml:"address"`
}

func load(path string) (*file, error) {
	f := &file{RTT: defaultRTT, Heartbeat: defaultHeartbeat, TimeToLive: defaultTimeToLive}
	return f, program.LoadYAML(path, f)
}

func (f *file) listen() string {
	if f.Listen != "" {
		return f.Listen
	}
	return f.Members[f.NodeID].Address
}

func (f *file) raftListen() string {
	if f.RaftListen != "" {
		return f.RaftListen
	}
	return f.Members[f.NodeID].RaftAddress
}

func (f *file) check(path string, plaintext bool) error {
	bad := func(format string, args ...any) error {
		return program.Usagef("%s: "+format, append([]any{path}, args...)...)
	}
	own, listed := f.Members[f.NodeID]
	switch {
	case f.NodeID == 0:
		return bad("node_id is missing")
	case f.DeploymentID == 0:
		return bad("deployment_id is missing; any number above 0, the same on all servers")
	case f.DataDir == "":
		return bad("data_dir is missing")
	case !listed:
		return bad("members has no entry for node_id %d", f.NodeID)
	case own.RaftAddress == "" || own.Address == "":
		return bad("member %d needs a raft_address and an address", f.NodeID)
	case f.RTT < time.Millisecond:
		return bad("rtt is %v, it must be at least 1ms", f.RTT)
	case f.Heartbeat < leastHeartbeat:
		return bad("heartbeat is %v, it must be at least 10ms", f.Heartbeat)
	case f.Backup.Dir == "" && f.Backup != (backup{}):
		return bad("backup has no dir, so none would be written")
	case f.Backup.Interval < 0 || f.Backup.Keep < 0:
		return bad("backup has an interval of %v and keeps %d; neither may be below 0", f.Backup.Interval, f.Backup.Keep)
	case f.TimeToLive < 5*f.Heartbeat:
		return bad("time_to_live is %v, it must be at least five heartbeats of %v", f.TimeToLive, f.Heartbeat)
	}
	if err := f.CheckLimits(); err != nil {
		return bad("%v", err)
	}
	if err := drummer.CheckMembers(f.members()); err != nil {
		return bad("members: %v", err)
	}
	if _, err := f.policy(path); err != nil {
		return program.Usage(err)
	}
	return f.CheckListens(plaintext, f.listen(), f.raftListen())
}

// policy is how the server decides; path is for errors.
func (f *file) policy(path string) (schedule.Policy, error) {
	base := schedule.DefaultPolicy()
	base.TTL = uint64((f.TimeToLive + f.Heartbeat - 1) / f.Heartbeat)
	return f.Policy.on(base, path, f.Heartbeat)
}

func (f *file) members() map[uint64]drummer.Peer {
	members := make(map[uint64]drummer.Peer, len(f.Members))
	for id, m := range f.Members {
		members[id] = drummer.Peer{RaftAddress: m.RaftAddress, Address: m.Address}
	}
	return members
}

// config is what a file that was checked says.
func (f *file) config(certs *rpc.Certificates, log *slog.Logger) drummer.Config {
	policy, _ := f.policy("")
	logdb := config.GetTinyMemLogDBConfig()
	logdb.Shards = 1
	return drummer.Config{
		NodeHost: config.NodeHostConfig{
			RaftAddress:    f.Members[f.NodeID].RaftAddress,
			ListenAddress:  f.RaftListen,
			NodeHostDir:    f.DataDir,
			RTTMillisecond: uint64(f.RTT / time.Millisecond),
			MutualTLS:      !f.TLS.Empty(),
			CAFile:         f.TLS.CA,
			CertFile:       f.TLS.Cert,
			KeyFile:        f.TLS.Key,
			// One Raft cluster needs no more.
			Expert: config.ExpertConfig{
				LogDB:  logdb,
				Engine: config.EngineConfig{ExecShards: 1, CommitShards: 1, ApplyShards: 1, SnapshotShards: 2, CloseShards: 1},
				TransportFactory: &rafttcp.Factory{
					Limits: f.RaftLimits, Log: log,
					ServerTLS: role.Demand(role.Server, certs.Server()), ClientTLS: role.Expect(role.Server, certs.Client()),
				},
			},
		},
		NodeID:       f.NodeID,
		Members:      f.members(),
		Join:         f.Join,
		Tick:         f.Heartbeat,
		Policy:       policy,
		DeploymentID: f.DeploymentID,
		Backup:       drummer.BackupConfig(f.Backup),
		Limits:       f.Limits,
	}
}
