// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"cmp"
	"fmt"

	"github.com/lni/dragonboat/v3/config"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Defaults of the Raft configuration that a specification leaves zero. The
// first two are in RTTs of the NodeHost, the others in log entries.
const (
	defaultElectionRTT        = 10
	defaultHeartbeatRTT       = 1
	defaultSnapshotEntries    = 10000
	defaultCompactionOverhead = 5000

	// maxRTTs bounds election and heartbeat timeouts: Dragonboat multiplies
	// them without looking.
	maxRTTs = 1_000_000
)

// validateRaft refuses what Dragonboat refuses, and what would overflow in it.
func validateRaft(raft config.Config) error {
	if raft.ElectionRTT > maxRTTs || raft.HeartbeatRTT > maxRTTs {
		return fmt.Errorf("election_rtt is %d and heartbeat_rtt %d, at most %d are allowed", raft.ElectionRTT, raft.HeartbeatRTT, maxRTTs)
	}
	return raft.Validate()
}

// raftConfig is what a node is started with. Config changes are always ordered
// and leaders always check their quorum: without either, Drummer's fences and
// its picture of leaders would not hold. A node that joined as an observer is
// started as one ever after; Dragonboat makes it a voter when it replays its
// promotion.
func raftConfig(req *pb.Request) config.Config {
	raft := req.GetSpec().GetRaft()
	return config.Config{
		ClusterID:           req.GetClusterId(),
		NodeID:              req.GetNodeId(),
		ElectionRTT:         cmp.Or(raft.GetElectionRtt(), defaultElectionRTT),
		HeartbeatRTT:        cmp.Or(raft.GetHeartbeatRtt(), defaultHeartbeatRTT),
		SnapshotEntries:     cmp.Or(raft.GetSnapshotEntries(), defaultSnapshotEntries),
		CompactionOverhead:  cmp.Or(raft.GetCompactionOverhead(), defaultCompactionOverhead),
		MaxInMemLogSize:     raft.GetMaxInMemLogSize(),
		Quiesce:             raft.GetQuiesce(),
		CheckQuorum:         true,
		OrderedConfigChange: true,
		IsObserver:          req.GetJoin() == pb.JoinMode_JOIN_AS_OBSERVER,
	}
}
