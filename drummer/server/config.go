// SPDX-License-Identifier: Apache-2.0

package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/lni/dragonboat/v3/config"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftaddress"
	"github.com/drumbeat-raft/drumbeat/drummer/rafttcp"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
	"github.com/drumbeat-raft/drumbeat/drummer/server/internal/peers"
)

const (
	// ClusterID is DrummerDB's Raft cluster, the only one on a Drummer
	// server's NodeHost.
	ClusterID = 1

	defaultTick            = time.Second
	defaultWarmUpTicks     = 10
	defaultElectionRTT     = 10
	defaultHeartbeatRTT    = 1
	defaultSnapshotEntries = 4096
)

// Peer is where a Drummer server is.
type Peer = peers.Peer

// Config is what a Drummer server is made from. A server is restarted with the
// Config it was first started with.
type Config struct {
	// NodeHost configures the server's own NodeHost: RaftAddress, directories,
	// RTTMillisecond, TLS, Expert. Its RaftEventListener may be set and is
	// called too. Without an Expert.TransportFactory it has a rafttcp.Factory.
	NodeHost config.NodeHostConfig
	// NodeID is this server's node in DrummerDB's Raft cluster.
	NodeID uint64
	// Members are the servers that DrummerDB started with, by NodeID. They
	// include this one, unless it Joins.
	Members map[uint64]Peer
	// Join is set for a server that was added later. Members then still has
	// the addresses of the others.
	Join bool
	// ElectionRTT and HeartbeatRTT of DrummerDB's Raft cluster; 0: 10 and 1.
	ElectionRTT  uint64
	HeartbeatRTT uint64
	// SnapshotEntries is after how many commands DrummerDB makes a snapshot; 0: 4096.
	// A quarter as many are kept in the log.
	SnapshotEntries uint64

	// Listener accepts agents, applications and tools; the server closes it.
	Listener net.Listener
	// TLS is the server's side of mutual TLS; nil: plain text.
	TLS *tls.Config
	// Dial and ClientTLS reach the other servers; nil: TCP, plain text.
	Dial      rpc.DialFunc
	ClientTLS rpc.TLSFunc

	// Limits bound what callers can make the server hold.
	Limits rpc.Limits

	// Tick is the heartbeat interval, and a tick of the logical clock; 0: a second.
	Tick time.Duration
	// Policy is how Drummer decides; its TTL is the hosts' time to live in
	// ticks. The zero value stands for schedule.DefaultPolicy.
	Policy schedule.Policy
	// WarmUpTicks is how long a new leader waits for NodeHosts that it has not
	// heard before it schedules without them, when it heard at least half; 0: 10.
	WarmUpTicks uint64
	// DeploymentID names the deployment if no server has before; not 0.
	DeploymentID uint64
	// Backup is where this server writes backups of DrummerDB by itself.
	Backup BackupConfig
	// Logger may be nil.
	Logger *slog.Logger
}

func (c *Config) validate() error {
	if c.NodeID == 0 {
		return errors.New("a Drummer server needs a NodeID above 0")
	}
	if c.DeploymentID == 0 {
		return errors.New("a Drummer server needs a DeploymentID above 0; all servers name the same one")
	}
	if c.Backup.Interval < 0 || c.Backup.Keep < 0 {
		return fmt.Errorf("backups can't be written every %v, nor %d of them be kept", c.Backup.Interval, c.Backup.Keep)
	}
	if err := c.Limits.Validate(); err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	if err := CheckMembers(c.Members); err != nil {
		return err
	}
	if err := raftaddress.Check(c.NodeHost.RaftAddress); err != nil {
		return err
	}
	own, ok := c.Members[c.NodeID]
	if !c.Join && !ok {
		return fmt.Errorf("server %d is not among the members of DrummerDB and does not join", c.NodeID)
	}
	for id, peer := range c.Members {
		if id != c.NodeID && (sameAddress(peer.RaftAddress, c.NodeHost.RaftAddress) || sameAddress(peer.Address, c.NodeHost.RaftAddress)) {
			return fmt.Errorf("server %d has the RaftAddress %s, which is member %d's; give each its own", c.NodeID, c.NodeHost.RaftAddress, id)
		}
	}
	if ok && own.RaftAddress != c.NodeHost.RaftAddress {
		return fmt.Errorf("server %d is member at RaftAddress %s, its NodeHost says %s", c.NodeID, own.RaftAddress, c.NodeHost.RaftAddress)
	}
	return nil
}

// CheckMembers refuses members that DrummerDB can't have: each needs a NodeID, and
// two addresses that no other one has.
func CheckMembers(members map[uint64]Peer) error {
	owner := map[string]uint64{} // of an address, of either kind
	for _, id := range slices.Sorted(maps.Keys(members)) {
		peer := members[id]
		if id == 0 || peer.RaftAddress == "" || peer.Address == "" {
			return fmt.Errorf("member %d of DrummerDB has RaftAddress %q and gRPC address %q, all three are needed", id, peer.RaftAddress, peer.Address)
		}
		if err := raftaddress.Check(peer.RaftAddress); err != nil {
			return err
		}
		for _, address := range []string{peer.RaftAddress, peer.Address} {
			other, taken := owner[canonical(address)]
			switch {
			case !taken:
				owner[canonical(address)] = id
			case other == id:
				return fmt.Errorf("member %d has %s for its RaftAddress and for its gRPC address; give it two ports", id, address)
			default:
				return fmt.Errorf("members %d and %d both have the address %s; give each its own", other, id, address)
			}
		}
	}
	return nil
}

// canonical is one form of the addresses that are the same on every machine.
func canonical(address string) string {
	if port, local := strings.CutPrefix(address, "localhost:"); local {
		return "127.0.0.1:" + port
	}
	return address
}

func sameAddress(a, b string) bool { return canonical(a) == canonical(b) }

func (c *Config) setDefaults() {
	if c.ElectionRTT == 0 {
		c.ElectionRTT = defaultElectionRTT
	}
	if c.SnapshotEntries == 0 {
		c.SnapshotEntries = defaultSnapshotEntries
	}
	if c.HeartbeatRTT == 0 {
		c.HeartbeatRTT = defaultHeartbeatRTT
	}
	if c.Tick == 0 {
		c.Tick = defaultTick
	}
	if c.Policy == (schedule.Policy{}) {
		c.Policy = schedule.DefaultPolicy()
	}
	if c.WarmUpTicks == 0 {
		c.WarmUpTicks = defaultWarmUpTicks
	}
	if c.Backup.Interval == 0 {
		c.Backup.Interval = defaultBackupInterval
	}
	if c.Backup.Keep == 0 {
		c.Backup.Keep = defaultBackupsKept
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.NodeHost.Expert.TransportFactory == nil && c.NodeHost.RaftRPCFactory == nil {
		c.NodeHost.Expert.TransportFactory = &rafttcp.Factory{Log: c.Logger}
	}
	c.Members = maps.Clone(c.Members)
}

func (c *Config) raftConfig() config.Config {
	return config.Config{
		NodeID:              c.NodeID,
		ClusterID:           ClusterID,
		ElectionRTT:         c.ElectionRTT,
		HeartbeatRTT:        c.HeartbeatRTT,
		SnapshotEntries:     c.SnapshotEntries,
		CompactionOverhead:  c.SnapshotEntries / 4,
		CheckQuorum:         true,
		OrderedConfigChange: true,
		IsObserver:          c.Join,
	}
}

func (c *Config) initialMembers() map[uint64]string {
	members := make(map[uint64]string, len(c.Members))
	for id, peer := range c.Members {
		members[id] = peer.RaftAddress
	}
	return members
}

// electionTimeout is how long a cluster without leader takes to elect one, at
// least.
func (c *Config) electionTimeout() time.Duration {
	return time.Duration(c.ElectionRTT*c.NodeHost.RTTMillisecond) * time.Millisecond
}
