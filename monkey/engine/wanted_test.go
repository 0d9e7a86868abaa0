// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// A zero in a scenario means never, or off, and not Drummer's default.
func TestWhatIsZeroInAScenarioIsAskedFor(t *testing.T) {
	s, err := scenarios.Parse("test.yaml", []byte("name: test\nclusters: {snapshot_entries: 0, compaction_overhead: 0, check_quorum: false}\n"))
	require.NoError(t, err)
	raft := newWanted(s, func(uint64) string { return "kv" }).spec(1).GetRaft()
	want := &pb.RaftConfig{ElectionRtt: 10, HeartbeatRtt: 1,
		SnapshotEntries: proto.Uint64(0), CompactionOverhead: proto.Uint64(0), CheckQuorum: proto.Bool(false)}
	require.True(t, proto.Equal(want, raft), "%v", raft)
}
