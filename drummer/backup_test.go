// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/drummer"
	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/server"
)

var backupSeeds = flag.Int("backup-seeds", 3, "how many seeds TestABackupIsRestoredIntoNewServers tries")

// A backup is made while hosts and servers die. More happens to the fleet, then all
// servers lose their disks, and the backup is restored into new ones. All of these
// have the same state, that of the backup, and go on from there.
func TestABackupIsRestoredIntoNewServers(t *testing.T) {
	for seed := range uint64(*backupSeeds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { backupUnderChaos(t, seed) })
		})
	}
}

func backupUnderChaos(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 3))
	w := newDeployment(t, 3, 6)
	w.untilAttached()
	clusters := w.launch(6)
	w.writeAll(clusters, "before")

	pause := func() { time.Sleep(time.Duration(rng.IntN(20_000)) * time.Millisecond) }
	lose := func() {
		id := 1 + rng.IntN(6)
		w.stopHost(id)
		pause()
		w.startHost(id, vfs.NewMem())
	}
	lose()
	victim := 1 + rng.Uint64N(3)
	w.stopServer(victim)
	data, err := w.client.Backup(w.context(time.Minute))
	require.NoError(t, err)
	backup, err := db.DecodeBackup(data)
	require.NoError(t, err)
	for id := range w.servers {
		if id != victim {
			var then *db.State
			w.until(10*time.Second, "the server has applied what the backup has", func() bool {
				then = w.stateOf(id, db.GetStateAt{Index: backup.Index})
				return then != nil
			})
			require.Equal(t, db.DigestOf(backup), db.DigestOf(then), "server %d", id)
		}
	}
	pause()
	lose() // the fleet moves on

	for id := range w.servers {
		w.stopServer(id)
	}
	for id := range w.drummers {
		w.startServer(id, vfs.NewMem())
	}
	w.untilAttached()
	require.NoError(t, w.client.Restore(w.context(time.Minute), "a test", data))
	w.until(30*time.Second, "all servers have the same restored state", func() bool { return w.state(w.leader()).Paused && w.sameStates(3) })
	restored := w.state(w.leader())
	require.Greater(t, restored.DeploymentEpoch, backup.DeploymentEpoch)
	require.GreaterOrEqual(t, restored.NextOperationID, backup.NextOperationID)
	for id, c := range backup.Clusters.All() {
		require.Equal(t, c.Spec.String(), restored.Clusters.At(id).Spec.String())
		require.GreaterOrEqual(t, restored.Clusters.At(id).NextNodeID, c.NextNodeID)
	}

	w.until(2*time.Minute, "every host has confirmed what it has", func() bool {
		for h := range w.state(w.leader()).Hosts.Values() {
			if h.Unconfirmed && w.host(h.ID()) {
				return false
			}
		}
		return true
	})
	require.NoError(t, w.client.Resume(w.context(10*time.Second), "a test"))
	w.until(5*time.Minute, "all clusters are whole", func() bool {
		for _, id := range clusters {
			if w.members(id) != 3 {
				return false
			}
		}
		return true
	})
	w.readAll(clusters, "before")
	w.writeAll(clusters, "after")
	err = w.client.Restore(w.context(time.Minute), "a test", data)
	require.Equal(t, codes.AlreadyExists, status.Code(err), "%v", err)
}

// host reports whether a NodeHost of that ID runs.
func (w *deployment) host(id string) bool {
	for _, h := range w.hosts {
		if h.nodehost.ID() == id {
			return true
		}
	}
	return false
}

func (w *deployment) stateOf(id uint64, query any) *db.State {
	answer, err := w.servers[id].NodeHost().StaleRead(server.ClusterID, query)
	require.NoError(w.t, err)
	state, _ := answer.(*db.State)
	return state
}

// sameStates reports whether so many servers have the state of one index.
func (w *deployment) sameStates(servers int) bool {
	digests := map[db.Digest]int{}
	index := w.stateOf(w.leader(), db.GetState{}).Index
	for id := range w.servers {
		if state := w.stateOf(id, db.GetStateAt{Index: index}); state != nil {
			digests[db.DigestOf(state)]++
		}
	}
	for _, n := range digests {
		if n == servers {
			return true
		}
	}
	return false
}

// A server writes backups by itself, keeps the newest, and each can be read.
func TestServersWriteBackups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := vfs.NewMem()
		w := newDeployment(t, 1, 0)
		w.stopServer(1)
		w.backups = map[uint64]drummer.BackupConfig{1: {Dir: "/backups", Interval: time.Minute, Keep: 3}}
		w.startServer(1, disk)
		last := ""
		for range 5 {
			time.Sleep(time.Minute + time.Second)
			names, err := disk.List("/backups")
			require.NoError(t, err)
			require.LessOrEqual(t, len(names), 3, "%q", names)
			newest := names[0]
			for _, name := range names {
				file, err := disk.Open("/backups/" + name)
				require.NoError(t, err)
				data, err := io.ReadAll(file)
				require.NoError(t, errors.Join(err, file.Close()))
				state, err := db.DecodeBackup(data)
				require.NoError(t, err)
				require.Equal(t, uint64(7), state.DeploymentID)
				newest = max(newest, name)
			}
			require.Greater(t, newest, last)
			last = newest
		}
	})
}
