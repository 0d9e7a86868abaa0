// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"fmt"
	"testing"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
	"github.com/lni/dragonboat/v3/raftpb"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
)

// One save of some replicas, an entry of 256 bytes each, on a real disk: with
// watermarks, and as Dragonboat does it alone.
func BenchmarkSaveRaftState(b *testing.B) {
	for _, replicas := range []int{1, 16} {
		for _, watermarks := range []bool{false, true} {
			b.Run(fmt.Sprintf("replicas=%d/watermarks=%v", replicas, watermarks), func(b *testing.B) {
				benchmarkSave(b, replicas, watermarks)
			})
		}
	}
}

func benchmarkSave(b *testing.B, replicas int, watermarks bool) {
	dir := b.TempDir()
	logdb := config.GetTinyMemLogDBConfig()
	logdb.Shards = 1
	nodehost := config.NodeHostConfig{NodeHostDir: dir, Expert: config.ExpertConfig{
		FS: vfs.Default, LogDB: logdb, Engine: config.EngineConfig{ExecShards: 1}}}
	var db raftio.ILogDB
	var err error
	if watermarks {
		db, err = New(nil).Create(nodehost, nil, []string{dir}, nil)
	} else {
		db, err = newDefaultLogDB(nodehost, nil, []string{dir}, nil, vfs.Default)
	}
	require.NoError(b, err)
	defer func() { require.NoError(b, db.Close()) }()
	updates := make([]raftpb.Update, replicas)
	b.ResetTimer()
	for i := range uint64(b.N) {
		for r := range updates {
			updates[r] = raftpb.Update{
				ClusterID: uint64(r + 1), NodeID: 1, State: raftpb.State{Term: 1, Vote: 1, Commit: i},
				EntriesToSave: []raftpb.Entry{{Term: 1, Index: i + 1, Cmd: make([]byte, 256)}},
			}
		}
		if err := db.SaveRaftState(updates, 1); err != nil {
			b.Fatal(err)
		}
	}
}
