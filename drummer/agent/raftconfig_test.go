// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"testing"

	"github.com/lni/dragonboat/v3/config"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

// What a specification says is what Dragonboat is given: no quorum check where it
// says so, and 0 snapshot entries for never.
func TestDragonboatIsGivenWhatTheSpecificationSays(t *testing.T) {
	request := func(raft *pb.RaftConfig) *pb.Request {
		return &pb.Request{ClusterId: 5, NodeId: 7, Spec: &pb.ClusterSpec{Raft: raft}}
	}
	conf := raftConfig(request(&pb.RaftConfig{ElectionRtt: 20, HeartbeatRtt: 3, SnapshotEntries: proto.Uint64(0),
		CompactionOverhead: proto.Uint64(7), MaxInMemLogSize: 1 << 20, CheckQuorum: proto.Bool(false), Quiesce: true,
		EntryCompression: pb.Compression_SNAPPY}), firstAsObserver)
	require.Equal(t, uint64(5), conf.ClusterID)
	require.Equal(t, uint64(7), conf.NodeID)
	require.Equal(t, uint64(20), conf.ElectionRTT)
	require.Equal(t, uint64(3), conf.HeartbeatRTT)
	require.Zero(t, conf.SnapshotEntries)
	require.Equal(t, uint64(7), conf.CompactionOverhead)
	require.Equal(t, uint64(1<<20), conf.MaxInMemLogSize)
	require.False(t, conf.CheckQuorum)
	require.True(t, conf.Quiesce)
	require.Equal(t, config.Snappy, conf.EntryCompressionType)
	require.Equal(t, config.NoCompression, conf.SnapshotCompressionType)
	conf = raftConfig(request(&pb.RaftConfig{SnapshotCompression: pb.Compression_SNAPPY}), firstAsObserver)
	require.Equal(t, config.NoCompression, conf.EntryCompressionType)
	require.Equal(t, config.Snappy, conf.SnapshotCompressionType)
	require.True(t, conf.IsObserver)
	require.True(t, conf.OrderedConfigChange, "whatever it says")

	conf = raftConfig(request(nil), againAsVoter)
	require.True(t, conf.CheckQuorum)
	require.Equal(t, uint64(raftspec.DefaultSnapshotEntries), conf.SnapshotEntries)
	require.False(t, conf.IsObserver)
}
