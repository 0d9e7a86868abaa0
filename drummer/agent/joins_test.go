// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"testing"
	"testing/synctest"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// How a node joined is on the disk before the node starts, and is gone from it before
// its data is said to be: whatever moment the power fails at.
func TestHowANodeJoinedSurvivesALossOfPower(t *testing.T) {
	disk := vfs.NewStrictMem()
	require.NoError(t, disk.MkdirAll("/data", 0o755))
	root, err := disk.OpenDir("/")
	require.NoError(t, err)
	require.NoError(t, root.Sync())
	nodehost := config.NodeHostConfig{NodeHostDir: "/data", Expert: config.ExpertConfig{FS: disk}}
	load := func() *joins {
		j, err := loadJoins(nodehost)
		require.NoError(t, err)
		return j
	}
	losePower := func() {
		disk.SetIgnoreSyncs(true)
		disk.ResetToSyncedState()
		disk.SetIgnoreSyncs(false)
	}
	one, two := key{1, 2}, key{3, 4}

	j := load() // and the directory is durable already
	require.NoError(t, j.set(one, true))
	losePower()
	j = load()
	require.True(t, j.asObserver(one), "it was noted")

	require.NoError(t, j.set(two, true))
	require.NoError(t, j.set(one, false))
	losePower()
	j = load()
	require.False(t, j.asObserver(one), "it was forgotten")
	require.True(t, j.asObserver(two))
}

// That a node joins as an observer is on the disk when the node is started: it might be
// the last thing that its host does.
func TestHowANodeJoinsIsOnTheDiskBeforeItStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, k := &lodger{t: t, disk: newFailing(t)}, key{1, 2}
		l.start()
		l.made = func() { l.disk.failAfter(0) }
		require.Equal(t, pb.ResultCode_DONE, l.agent.startNode(t.Context(), startRequest(k.cluster, k.node, pb.JoinMode_JOIN_AS_OBSERVER)).GetCode())
		l.stop()
		l.disk.boot()
		l.start()
		defer l.stop()
		require.True(t, l.agent.joins.asObserver(k))
	})
}
