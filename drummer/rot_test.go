// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"bytes"
	"errors"
	"io"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer"
	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/server"
)

// flip flips a bit of the last place at which a text stands in files of a kind.
func flip(t *testing.T, disk vfs.FS, dir, suffix, text string) {
	t.Helper()
	names, err := disk.List(dir)
	require.NoError(t, err)
	for _, name := range names {
		full := path.Join(dir, name)
		if info, err := disk.Stat(full); err == nil && info.IsDir() {
			flip(t, disk, full, suffix, text)
			continue
		}
		if !strings.HasSuffix(name, suffix) {
			continue
		}
		file, err := disk.Open(full)
		require.NoError(t, err)
		data, err := io.ReadAll(file)
		require.NoError(t, errors.Join(err, file.Close()))
		at := bytes.LastIndex(data, []byte(text))
		if at < 0 {
			continue
		}
		data[at] ^= 4
		file, err = disk.Create(full)
		require.NoError(t, err)
		_, err = file.Write(data)
		require.NoError(t, errors.Join(err, file.Sync(), file.Close()))
		return
	}
}

// onNewDisks starts all servers anew, on empty disks that it returns.
func (w *deployment) onNewDisks() map[uint64]vfs.FS {
	disks := map[uint64]vfs.FS{}
	for id := range w.drummers {
		w.stopServer(id)
		disks[id] = vfs.NewMem()
	}
	for id := range w.drummers {
		w.startServer(id, disks[id])
	}
	return disks
}

// Of three servers the third dies, clusters are defined, the others stop, and a bit of
// those entries rots in the log of the second. It must not form a majority with the
// third, which would have forgotten what was acknowledged.
func TestARottenLogIsNotTakenForAShorterOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 3, 0)
		disks := w.onNewDisks()
		w.leader()
		time.Sleep(10 * time.Second)
		w.stopServer(3)
		require.NoError(t, w.client.Define(w.context(time.Minute), "a test", &pb.ClusterSpec{ClusterId: 1, Application: "acknowledged", Size: 3}))
		w.stopServer(1)
		w.stopServer(2)

		flip(t, disks[2], "/data", ".log", "acknowledged")
		_, err := w.newServer(2, disks[2])
		require.ErrorIs(t, err, diskcheck.ErrDamaged)
		require.ErrorContains(t, err, "servers replace 2")
		_, err = w.newServer(2, disks[2])
		require.ErrorIs(t, err, diskcheck.ErrDamaged, "it is not forgotten that something was forgotten")

		w.startServer(3, disks[3])
		time.Sleep(time.Minute)
		_, leads := w.servers[3].Leading()
		require.False(t, leads)
		w.startServer(1, disks[1])
		w.leader()
		require.NotNil(t, w.state(w.leader()).Clusters.At(1), "the definition is there")
	})
}

// One of three servers is left, and the only one whose disk has the last definition.
func TestTheSurvivorsStateIsSalvaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 3, 4)
		disks := w.onNewDisks()
		w.untilAttached()
		clusters := w.launch(3)
		w.writeAll(clusters, "before")
		w.stopServer(3)
		require.NoError(t, w.client.Define(w.context(time.Minute), "a test", &pb.ClusterSpec{ClusterId: 9, Application: "kv", Size: 3}))
		w.until(time.Minute, "cluster 9 runs", func() bool { return w.members(9) == 3 })
		for id := range w.servers {
			w.stopServer(id)
		}

		backup, err := drummer.Salvage(w.context(time.Minute), w.serverConfig(w.drummers, 2, disks[2]))
		require.NoError(t, err)
		state, err := db.DecodeBackup(backup)
		require.NoError(t, err)
		require.NotNil(t, state.Clusters.At(9))
		require.Equal(t, 4, state.Hosts.Len())

		for id := range w.drummers {
			w.startServer(id, vfs.NewMem())
		}
		w.untilAttached()
		require.NoError(t, w.client.Restore(w.context(time.Minute), "a test", backup))
		time.Sleep(10 * time.Second)
		require.NoError(t, w.client.Resume(w.context(10*time.Second), "a test"))
		clusters = append(clusters, 9)
		w.loseHost(1, clusters)
		w.readAll([]uint64{1, 2, 3}, "before")
	})
}

// A majority that works is not given up.
func TestNothingIsSalvagedBesideALeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 3, 0)
		disk := vfs.NewMem()
		w.leader()
		w.stopServer(3)
		_, err := drummer.Salvage(w.context(time.Minute), w.serverConfig(w.drummers, 3, disk))
		require.ErrorContains(t, err, "has no log of DrummerDB")
		single := map[uint64]drummer.Peer{1: {RaftAddress: w.at("single", "raft"), Address: w.at("single", "grpc")}}
		disk = vfs.NewMem()
		s := w.serverOf(single, 1, disk)
		w.until(time.Minute, "it leads", func() bool { _, leads := s.Leading(); return leads })
		s.Close()
		_, err = drummer.Salvage(w.context(time.Minute), w.serverConfig(single, 1, disk))
		require.ErrorIs(t, err, server.ErrNotLost)
	})
}

// A NodeHost whose directory was removed under it is given no new nodes, also when
// there is no other place for them, until it is well again.
func TestASickHostIsGivenNoNewNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 4)
		w.untilAttached()
		clusters := w.launch(1)
		w.writeAll(clusters, "before")
		var sick, member int
		for id, h := range w.hosts {
			if w.whole(clusters, h.nodehost.RaftAddress()) {
				sick = id
			} else {
				member = id
			}
		}
		disk, id := w.hosts[sick].disk, w.hosts[sick].nodehost.ID()
		require.NoError(t, disk.Rename("/data/NODEHOST.ID", "/data/away"))
		w.until(time.Minute, "the host is sick", func() bool { return w.state(1).Hosts.At(id).Info.GetSick() != "" })
		w.stopHost(member)
		time.Sleep(3 * time.Minute)
		require.Zero(t, w.state(1).Hosts.At(id).Placed)
		w.readAll(clusters, "before")

		require.NoError(t, disk.Rename("/data/away", "/data/NODEHOST.ID"))
		w.until(3*time.Minute, "the cluster is whole", func() bool { return w.members(1) == 3 })
		require.Equal(t, 1, w.state(1).Hosts.At(id).Placed)
	})
}

// Bits rot on a NodeHost's disk while it is stopped. What has lost its past is not
// started, and replaced; what has not goes on.
func TestRottenReplicasAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 4)
		w.untilAttached()
		clusters := w.launch(4)
		w.writeAll(clusters, "acknowledged")
		disk := w.hosts[1].disk
		lost := w.hosts[1].nodehost.RaftAddress()
		require.False(t, w.whole(clusters, lost), "the host has nodes")
		w.stopHost(1)
		flip(t, disk, "/data", ".log", "acknowledged")
		w.startHost(1, disk)
		w.until(5*time.Minute, "all clusters are whole, and something was replaced", func() bool {
			replaced := false
			for _, id := range clusters {
				if w.members(id) != 3 {
					return false
				}
				replaced = replaced || w.state(1).Clusters.At(id).NextNodeID > 4
			}
			return replaced
		})
		w.readAll(clusters, "acknowledged")
		w.writeAll(clusters, "after")
	})
}
