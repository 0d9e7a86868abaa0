// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"testing"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
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
