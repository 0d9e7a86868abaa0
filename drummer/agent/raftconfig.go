// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"github.com/lni/dragonboat/v3/config"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

// checkRaft refuses what no NodeHost could run, and whatever else Dragonboat
// refuses.
func checkRaft(req *pb.Request) error {
	if err := raftspec.Check(req.GetSpec().GetRaft()); err != nil {
		return err
	}
	raft := raftConfig(req, firstAsInitial)
	return raft.Validate()
}

// raftConfig is what a node is started with. Config changes are always ordered:
// without that, a membership change that arrives late would not be refused. A
// node that joined as an observer is started as one ever after; Dragonboat makes
// it a voter when it replays its promotion.
func raftConfig(req *pb.Request, mode startMode) config.Config {
	raft := raftspec.Effective(req.GetSpec().GetRaft())
	return config.Config{
		ClusterID:           req.GetClusterId(),
		NodeID:              req.GetNodeId(),
		ElectionRTT:         raft.ElectionRtt,
		HeartbeatRTT:        raft.HeartbeatRtt,
		SnapshotEntries:     raft.GetSnapshotEntries(),
		CompactionOverhead:  raft.GetCompactionOverhead(),
		MaxInMemLogSize:     raft.MaxInMemLogSize,
		Quiesce:             raft.Quiesce,
		CheckQuorum:         raft.GetCheckQuorum(),
		OrderedConfigChange: true,

		EntryCompressionType:    compression(raft.EntryCompression),
		SnapshotCompressionType: compression(raft.SnapshotCompression),
		IsObserver:              mode == firstAsObserver || mode == againAsObserver,
	}
}

func compression(c pb.Compression) config.CompressionType {
	if c == pb.Compression_SNAPPY {
		return config.Snappy
	}
	return config.NoCompression
}
