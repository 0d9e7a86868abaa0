// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"bytes"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
)

// What an agent says of its disk's generation survives a loss of power, and grows only
// while a Drummer hears of it.
func TestTheGenerationOfADiskGrowsWhileTheAgentIsAttached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var network testkit.Net
		a := alone(t, Config{Drummers: []string{"drummer"}, Dial: network.Dial})
		time.Sleep(time.Minute)
		require.EqualValues(t, firstGeneration, a.generation.get(), "nobody has heard of it")

		f := startFake(&network, "drummer")
		defer f.stop()
		time.Sleep(time.Minute)
		grown := a.generation.get()
		require.InDelta(t, 6, grown, 2)
		f.locked(func() {
			require.EqualValues(t, firstGeneration, f.hellos[0].GetDiskGeneration())
			for _, h := range f.hosts {
				require.Equal(t, grown, h.generation)
			}
		})
		again, err := loadGeneration(a.nodehost.NodeHostConfig())
		require.NoError(t, err)
		require.Equal(t, grown, again.get())
		a.Close()
	})
}

func TestTheGenerationOfADiskSurvivesALossOfPower(t *testing.T) {
	disk := vfs.NewStrictMem()
	require.NoError(t, disk.MkdirAll("/data", 0o755))
	root, err := disk.OpenDir("/")
	require.NoError(t, err)
	require.NoError(t, root.Sync())
	nodehost := config.NodeHostConfig{NodeHostDir: "/data", Expert: config.ExpertConfig{FS: disk}}
	g, err := loadGeneration(nodehost)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, g.next())
	}
	disk.SetIgnoreSyncs(true)
	disk.ResetToSyncedState()
	again, err := loadGeneration(nodehost)
	require.NoError(t, err)
	require.Equal(t, g.get(), again.get())
}

// An agent that is told of a newer disk than its own gives up what it has; where nobody
// would keep these nodes from being started, it does not attach.
func TestAnAgentOnAnOldCopyOfItsDiskDoesNotGoOnWithoutDiskcheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var network testkit.Net
		var out bytes.Buffer
		f := startFake(&network, "drummer")
		defer f.stop()
		f.locked(func() { f.generation = 100 })
		a := alone(t, Config{Drummers: []string{"drummer"}, Dial: network.Dial, Logger: slog.New(slog.NewTextHandler(&out, nil))})
		time.Sleep(5 * time.Second)
		require.Empty(t, a.Attached())
		require.EqualValues(t, firstGeneration, a.generation.get())
		a.Close()
		require.Contains(t, out.String(), "old copy of itself")
		require.Contains(t, out.String(), "remove its directory")
	})
}
