// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"testing"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/logger"
	chantransport "github.com/lni/dragonboat/v3/plugin/chan"
	"github.com/lni/goutils/vfs"
)

// RTT of these NodeHosts, in milliseconds.
const RTT = 50

func init() {
	for _, name := range []string{"dragonboat", "raft", "rsm", "transport", "grpc", "logdb", "config", "utils", "server", "settings", "order", "raftpb"} {
		logger.GetLogger(name).SetLevel(logger.CRITICAL)
	}
}

// transport is Dragonboat's channel transport with any string as address.
type transport struct {
	chantransport.ChanTransportFactory
}

func (*transport) Validate(string) bool { return true }

// NodeHostConfig is a small NodeHost on a disk in memory. The channel transport
// knows one global name space, so addresses start with the test's name.
func NodeHostConfig(raftAddress string, disk vfs.FS) config.NodeHostConfig {
	logdb := config.GetTinyMemLogDBConfig()
	logdb.Shards = 1
	return config.NodeHostConfig{
		RaftAddress:    raftAddress,
		NodeHostDir:    "/data",
		RTTMillisecond: RTT,
		Expert: config.ExpertConfig{
			FS:               disk,
			LogDB:            logdb,
			Engine:           config.EngineConfig{ExecShards: 2, CommitShards: 2, ApplyShards: 2, SnapshotShards: 2, CloseShards: 2},
			TransportFactory: &transport{},
		},
	}
}

// StartNodeHost starts a NodeHost with these listeners, which may be nil.
func StartNodeHost(t testing.TB, conf config.NodeHostConfig) *dragonboat.NodeHost {
	t.Helper()
	nodehost, err := dragonboat.NewNodeHost(conf)
	if err != nil {
		t.Fatalf("the NodeHost at %s can't be started: %v", conf.RaftAddress, err)
	}
	return nodehost
}

// RaftConfig is the configuration of a node as the agent would make it.
func RaftConfig(clusterID, nodeID uint64) config.Config {
	return config.Config{
		ClusterID: clusterID, NodeID: nodeID, ElectionRTT: 10, HeartbeatRTT: 1,
		CheckQuorum: true, OrderedConfigChange: true,
	}
}
