// SPDX-License-Identifier: Apache-2.0

package raftspec

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/fnv"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Defaults of what a specification does not give. The first two are in RTTs of
// the NodeHost, the next two in log entries.
const (
	DefaultElectionRTT        = 10
	defaultHeartbeatRTT       = 1
	DefaultSnapshotEntries    = 10000
	defaultCompactionOverhead = 5000
	defaultCheckQuorum        = true
)

const (
	// maxRTTs bounds election and heartbeat timeouts: Dragonboat multiplies
	// them without looking.
	maxRTTs = 1_000_000
	// maxEntries bounds counts of log entries: Dragonboat adds them to indexes
	// without looking.
	maxEntries = 1 << 40
	// MinInMemLogSize, in bytes, is a little above the least that Dragonboat
	// accepts.
	MinInMemLogSize = 256
)

// Effective is a Raft configuration with its defaults filled in. The argument
// may be nil, and stays as it is.
func Effective(raft *pb.RaftConfig) *pb.RaftConfig {
	if raft == nil {
		raft = &pb.RaftConfig{}
	}
	return &pb.RaftConfig{
		ElectionRtt:        cmp.Or(raft.ElectionRtt, DefaultElectionRTT),
		HeartbeatRtt:       cmp.Or(raft.HeartbeatRtt, defaultHeartbeatRTT),
		SnapshotEntries:    given(raft.SnapshotEntries, DefaultSnapshotEntries),
		CompactionOverhead: given(raft.CompactionOverhead, defaultCompactionOverhead),
		MaxInMemLogSize:    raft.MaxInMemLogSize,
		CheckQuorum:        given(raft.CheckQuorum, defaultCheckQuorum),
		Quiesce:            raft.Quiesce,

		EntryCompression:    raft.EntryCompression,
		SnapshotCompression: raft.SnapshotCompression,
	}
}

// given returns a field that was given, zero included, or its default.
func given[T any](field *T, otherwise T) *T {
	if field == nil {
		return &otherwise
	}
	value := *field
	return &value
}

// What a digest adds for a flag that is not at its default.
const (
	digestQuiesce            = 1
	digestNoCheckQuorum      = 2
	digestCompressesEntries  = 3
	digestCompressesSnapshot = 4
)

// Digest identifies a Raft configuration: it is that of the effective one, the
// same in every program and never 0.
func Digest(raft *pb.RaftConfig) uint64 {
	r := Effective(raft)
	var b []byte
	for _, x := range []uint64{r.ElectionRtt, r.HeartbeatRtt, r.GetSnapshotEntries(), r.GetCompactionOverhead(), r.MaxInMemLogSize} {
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	if r.Quiesce {
		b = append(b, digestQuiesce)
	}
	if !r.GetCheckQuorum() {
		b = append(b, digestNoCheckQuorum)
	}
	if r.EntryCompression == pb.Compression_SNAPPY {
		b = append(b, digestCompressesEntries)
	}
	if r.SnapshotCompression == pb.Compression_SNAPPY {
		b = append(b, digestCompressesSnapshot)
	}
	h := fnv.New64a()
	h.Write(b)
	return max(h.Sum64(), 1)
}

// Check returns why no NodeHost could run a node with a Raft configuration: what
// Dragonboat's config.Validate refuses, and what would overflow in it.
func Check(raft *pb.RaftConfig) error {
	r := Effective(raft)
	switch {
	case r.ElectionRtt > maxRTTs || r.HeartbeatRtt > maxRTTs:
		return fmt.Errorf("election_rtt is %d and heartbeat_rtt %d, at most %d are allowed", r.ElectionRtt, r.HeartbeatRtt, maxRTTs)
	case r.ElectionRtt <= 2*r.HeartbeatRtt:
		return fmt.Errorf("election_rtt is %d%s, which must be more than twice heartbeat_rtt, %d%s",
			r.ElectionRtt, byDefault(raft.GetElectionRtt()), r.HeartbeatRtt, byDefault(raft.GetHeartbeatRtt()))
	case r.GetSnapshotEntries() > maxEntries || r.GetCompactionOverhead() > maxEntries:
		return fmt.Errorf("snapshot_entries is %d and compaction_overhead %d, at most %d are allowed",
			r.GetSnapshotEntries(), r.GetCompactionOverhead(), uint64(maxEntries))
	case !known(r.EntryCompression) || !known(r.SnapshotCompression):
		return fmt.Errorf("entry_compression is %v and snapshot_compression %v, which are not known", r.EntryCompression, r.SnapshotCompression)
	case r.MaxInMemLogSize != 0 && r.MaxInMemLogSize < MinInMemLogSize:
		return fmt.Errorf("max_in_mem_log_size is %d bytes, at least %d are needed", r.MaxInMemLogSize, MinInMemLogSize)
	default:
		return nil
	}
}

func known(c pb.Compression) bool {
	return c == pb.Compression_UNCOMPRESSED || c == pb.Compression_SNAPPY
}

func byDefault(given uint64) string {
	if given == 0 {
		return " by default"
	}
	return ""
}
