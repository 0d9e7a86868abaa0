// SPDX-License-Identifier: Apache-2.0

package raftspec

import (
	"math"
	"testing"

	"github.com/lni/dragonboat/v3/config"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

func TestWhatNoNodeHostCouldRunIsRefusedWithTheFacts(t *testing.T) {
	for want, raft := range map[string]*pb.RaftConfig{
		"election_rtt is 1000001 and heartbeat_rtt 1, at most 1000000":        {ElectionRtt: 1_000_001},
		"at most 1000000 are allowed":                                         {HeartbeatRtt: math.MaxUint64, ElectionRtt: 5},
		"election_rtt is 10 by default, which must be more than twice":        {HeartbeatRtt: 5},
		"election_rtt is 2, which must be more than twice heartbeat_rtt, 1 b": {ElectionRtt: 2},
		"snapshot_entries is 18446744073709551615":                            {SnapshotEntries: proto.Uint64(math.MaxUint64)},
		"compaction_overhead 1099511627777":                                   {CompactionOverhead: proto.Uint64(maxEntries + 1)},
		"max_in_mem_log_size is 255 bytes, at least 256":                      {MaxInMemLogSize: 255},
	} {
		require.ErrorContains(t, Check(raft), want)
	}
	require.NoError(t, Check(nil))
	require.NoError(t, Check(&pb.RaftConfig{ElectionRtt: maxRTTs, HeartbeatRtt: 1, SnapshotEntries: proto.Uint64(maxEntries),
		CompactionOverhead: proto.Uint64(maxEntries), MaxInMemLogSize: math.MaxUint64, Quiesce: true}))
}

// TestDragonboatTakesWhatIsAccepted: no specification that is accepted is
// refused by Dragonboat's own validation on every host.
func TestDragonboatTakesWhatIsAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.OneOf(rapid.Uint64Range(0, 300), rapid.Uint64())
		raft := &pb.RaftConfig{ElectionRtt: any.Draw(t, "election"), HeartbeatRtt: any.Draw(t, "heartbeat"),
			SnapshotEntries: proto.Uint64(any.Draw(t, "entries")), CompactionOverhead: proto.Uint64(any.Draw(t, "overhead")),
			MaxInMemLogSize: any.Draw(t, "log size")}
		if Check(raft) != nil {
			return
		}
		e := Effective(raft)
		c := config.Config{NodeID: 1, ClusterID: 1, ElectionRTT: e.ElectionRtt, HeartbeatRTT: e.HeartbeatRtt,
			SnapshotEntries: e.GetSnapshotEntries(), CompactionOverhead: e.GetCompactionOverhead(), MaxInMemLogSize: e.MaxInMemLogSize}
		require.NoError(t, c.Validate())
	})
}

// What is given is taken as it is, also zero: only what is absent has its
// default.
func TestZeroIsNotAbsent(t *testing.T) {
	for _, absent := range []*pb.RaftConfig{nil, {}} {
		e := Effective(absent)
		require.Equal(t, uint64(DefaultSnapshotEntries), e.GetSnapshotEntries())
		require.Equal(t, uint64(defaultCompactionOverhead), e.GetCompactionOverhead())
		require.True(t, e.GetCheckQuorum())
	}
	e := Effective(&pb.RaftConfig{SnapshotEntries: proto.Uint64(0), CompactionOverhead: proto.Uint64(0), CheckQuorum: proto.Bool(false)})
	require.Zero(t, e.GetSnapshotEntries())
	require.Zero(t, e.GetCompactionOverhead())
	require.False(t, e.GetCheckQuorum())
}

// Nodes are restarted for another Raft configuration when its digest differs, so
// every field that Dragonboat is given has to count, and the defaults must not
// differ from saying them.
func TestEveryFieldCountsInTheDigest(t *testing.T) {
	digests := map[uint64]*pb.RaftConfig{Digest(nil): nil}
	for _, raft := range []*pb.RaftConfig{
		{ElectionRtt: 11}, {HeartbeatRtt: 2}, {SnapshotEntries: proto.Uint64(0)}, {CompactionOverhead: proto.Uint64(0)},
		{MaxInMemLogSize: MinInMemLogSize}, {CheckQuorum: proto.Bool(false)}, {Quiesce: true},
		{CheckQuorum: proto.Bool(false), Quiesce: true},
		{EntryCompression: pb.Compression_SNAPPY}, {SnapshotCompression: pb.Compression_SNAPPY},
		{EntryCompression: pb.Compression_SNAPPY, SnapshotCompression: pb.Compression_SNAPPY},
	} {
		require.NotContains(t, digests, Digest(raft), "%v", raft)
		digests[Digest(raft)] = raft
	}
	require.Equal(t, Digest(nil), Digest(Effective(nil)))
	require.Equal(t, Digest(nil), Digest(&pb.RaftConfig{CheckQuorum: proto.Bool(true), SnapshotEntries: proto.Uint64(DefaultSnapshotEntries)}))
}
