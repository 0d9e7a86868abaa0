// SPDX-License-Identifier: Apache-2.0

package raftspec

import (
	"math"
	"testing"

	"github.com/lni/dragonboat/v3/config"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

func TestWhatNoNodeHostCouldRunIsRefusedWithTheFacts(t *testing.T) {
	for want, raft := range map[string]*pb.RaftConfig{
		"election_rtt is 1000001 and heartbeat_rtt 1, at most 1000000":        {ElectionRtt: 1_000_001},
		"at most 1000000 are allowed":                                         {HeartbeatRtt: math.MaxUint64, ElectionRtt: 5},
		"election_rtt is 10 by default, which must be more than twice":        {HeartbeatRtt: 5},
		"election_rtt is 2, which must be more than twice heartbeat_rtt, 1 b": {ElectionRtt: 2},
		"snapshot_entries is 18446744073709551615":                            {SnapshotEntries: math.MaxUint64},
		"compaction_overhead 1099511627777":                                   {CompactionOverhead: MaxEntries + 1},
		"max_in_mem_log_size is 255 bytes, at least 256":                      {MaxInMemLogSize: 255},
	} {
		require.ErrorContains(t, Check(raft), want)
	}
	require.NoError(t, Check(nil))
	require.NoError(t, Check(&pb.RaftConfig{ElectionRtt: MaxRTTs, HeartbeatRtt: 1, SnapshotEntries: MaxEntries,
		CompactionOverhead: MaxEntries, MaxInMemLogSize: math.MaxUint64, Quiesce: true}))
}

// TestDragonboatTakesWhatIsAccepted: no specification that is accepted is
// refused by Dragonboat's own validation on every host.
func TestDragonboatTakesWhatIsAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.OneOf(rapid.Uint64Range(0, 300), rapid.Uint64())
		raft := &pb.RaftConfig{ElectionRtt: any.Draw(t, "election"), HeartbeatRtt: any.Draw(t, "heartbeat"),
			SnapshotEntries: any.Draw(t, "entries"), CompactionOverhead: any.Draw(t, "overhead"),
			MaxInMemLogSize: any.Draw(t, "log size")}
		if Check(raft) != nil {
			return
		}
		e := Effective(raft)
		c := config.Config{NodeID: 1, ClusterID: 1, ElectionRTT: e.ElectionRtt, HeartbeatRTT: e.HeartbeatRtt,
			SnapshotEntries: e.SnapshotEntries, CompactionOverhead: e.CompactionOverhead, MaxInMemLogSize: e.MaxInMemLogSize}
		require.NoError(t, c.Validate())
	})
}
