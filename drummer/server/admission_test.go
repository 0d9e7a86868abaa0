// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/server"
)

// wipe gives a stopped server an empty disk.
func (w *trio) wipe(id uint64) { w.disks[id] = vfs.NewMem() }

// refused starts a server that must find out that its disk was lost.
func (w *trio) refused(id uint64, join bool) {
	w.t.Helper()
	config := w.config(id)
	config.Join = join
	s, err := server.New(config)
	require.NoError(w.t, err)
	defer s.Close()
	select {
	case err := <-s.Failed():
		require.ErrorIs(w.t, err, server.ErrDiskLost)
		require.ErrorContains(w.t, err, "servers remove "+string(rune('0'+id)))
	case <-time.After(10 * time.Second):
		w.t.Fatalf("server %d starts on an empty disk, or waits", id)
	}
	_, leading := s.Leading()
	require.False(w.t, leading)
}

func (w *trio) others(id uint64) (ids []uint64) {
	for other := range w.servers {
		if other != id {
			ids = append(ids, other)
		}
	}
	return ids
}

func (w *trio) define(cluster uint64) {
	w.t.Helper()
	_, err := pb.NewDrummerClient(w.conn(w.leader())).DefineClusters(w.context(10*time.Second),
		&pb.DefineClustersRequest{Specs: []*pb.ClusterSpec{{ClusterId: cluster, Application: "kv", Size: 3}}})
	require.NoError(w.t, err)
}

func (w *trio) defined() int {
	w.t.Helper()
	out, err := pb.NewDrummerClient(w.conn(w.leader())).Locate(w.context(10*time.Second), &pb.LocateRequest{})
	require.NoError(w.t, err)
	return len(out.GetClusters())
}

// Two of three lose their disks. As a majority they would elect one of
// themselves and throw away what was acknowledged; the third one knows them.
func TestWipedServersDontStartAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		w.define(1)
		keeps := w.leader()
		lost := w.others(keeps)
		for _, id := range lost {
			w.stop(id)
			w.wipe(id)
		}
		for _, id := range lost {
			w.refused(id, false)
		}
		// Nor does anything begin while the one that knows is away.
		w.stop(keeps)
		for _, id := range lost {
			w.start(id)
		}
		time.Sleep(time.Minute)
		for _, id := range lost {
			_, leading := w.servers[id].Leading()
			require.False(t, leading)
		}
		start := time.Now()
		for _, id := range lost {
			w.stop(id)
		}
		require.Less(t, time.Since(start), time.Second, "who waits can be closed")
	})
}

func TestWipedServerIsReplacedAtItsAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		w.define(1)
		lost := w.others(w.leader())[0]
		w.stop(lost)
		w.wipe(lost)
		w.refused(lost, false)
		require.Equal(t, 1, w.defined())
		time.Sleep(10 * time.Second)
		_, err := w.fleet(w.leader()).RemoveServer(w.context(10*time.Second), &pb.RemoveServerRequest{NodeId: lost})
		require.NoError(t, err)
		peer := w.members[lost]
		added, err := w.fleet(w.leader()).AddServer(w.context(10*time.Second), &pb.AddServerRequest{RaftAddress: peer.RaftAddress, Address: peer.Address})
		require.NoError(t, err)
		require.Equal(t, uint64(4), added.GetNodeId())
		delete(w.members, lost)
		w.members[4], w.disks[4] = peer, w.disks[lost]
		w.join(4)
		w.untilVoter(4)
		w.stop(4)
		w.wipe(4)
		w.refused(4, true)
	})
}

// The first servers of a deployment begin when all of them have been there.
func TestFirstStartWaitsForAllOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 0)
		for id := uint64(1); id <= 3; id++ {
			name := strings.ToLower(t.Name()) + "/" + string(rune('0'+id))
			w.members[id] = server.Peer{RaftAddress: name + "/raft", Address: name + "/grpc"}
			w.wipe(id)
		}
		w.start(1)
		w.start(2)
		time.Sleep(time.Minute)
		for _, s := range w.servers {
			_, leading := s.Leading()
			require.False(t, leading)
		}
		w.stop(2) // nothing has begun, so nothing is lost with its disk
		w.wipe(2)
		w.start(2)
		time.Sleep(time.Second)
		start := time.Now()
		w.start(3)
		w.leader()
		require.Less(t, time.Since(start), 6*time.Second)
		w.define(1)
		require.Len(t, w.list(), 3)
	})
}

// Whoever was never a member has nothing to forget.
func TestServerThatWasNotYetAddedMayBeWiped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		w.leader()
		name := strings.ToLower(t.Name()) + "/4"
		w.members[4] = server.Peer{RaftAddress: name + "/raft", Address: name + "/grpc"}
		for range 2 {
			w.wipe(4)
			w.join(4)
			time.Sleep(5 * time.Second)
			w.stop(4)
		}
		w.join(4)
		_, err := w.fleet(w.leader()).AddServer(w.context(10*time.Second), &pb.AddServerRequest{RaftAddress: w.members[4].RaftAddress, Address: w.members[4].Address})
		require.NoError(t, err)
		w.untilVoter(4)
		w.stop(4)
		w.wipe(4)
		w.refused(4, true)
	})
}

// How a server once joined is remembered beside its log: the configuration may
// forget it.
func TestJoinIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 1)
		id := w.add()
		w.untilVoter(id)
		w.stop(id)
		w.start(id) // without Join: Dragonboat would panic on its log
		time.Sleep(10 * time.Second)
		require.True(t, w.list()[id].GetAlive())
		w.define(1) // needs both
	})
}

// A program that knew no incarnations has left a log and no record.
func TestLogOfAnOlderProgramIsFine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		w.define(1)
		for id := range w.members {
			w.stop(id)
			require.NoError(t, w.disks[id].RemoveAll("/data/drummer-server"))
		}
		for id := range w.members {
			w.start(id)
		}
		require.Equal(t, 1, w.defined())
		time.Sleep(5 * time.Second)
		lost := w.others(w.leader())[0]
		w.stop(lost)
		w.wipe(lost)
		w.refused(lost, false)
	})
}

func TestServersAreNotTakenForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 1)
		w.leader()
		w.stop(1)
		config := w.config(1)
		config.NodeID = 2
		config.Members = map[uint64]server.Peer{2: w.members[1]}
		_, err := server.New(config)
		require.ErrorContains(t, err, "belongs to Drummer server 1 and can't be that of server 2")

		// A log that is gone while the record of it is there was lost too.
		record, err := w.disks[1].Open("/data/drummer-server")
		require.NoError(t, err)
		defer record.Close()
		text := make([]byte, 1000)
		n, _ := record.Read(text)
		w.wipe(1)
		require.NoError(t, w.disks[1].MkdirAll("/data", 0o755))
		file, err := w.disks[1].Create("/data/drummer-server")
		require.NoError(t, err)
		_, err = file.Write(text[:n])
		require.NoError(t, err)
		require.NoError(t, file.Close())
		_, err = server.New(w.config(1))
		require.ErrorIs(t, err, server.ErrDiskLost)
	})
}

// Whoever can ask to be admitted can't fill the record with NodeIDs that nobody has.
func TestInventedServersAreNotAdmitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		id := w.leader()
		time.Sleep(5 * time.Second)
		size := func() int64 {
			info, err := w.disks[id].Stat("/data/drummer-server")
			require.NoError(t, err)
			return info.Size()
		}
		before := size()
		for invented := range uint64(1024) {
			_, err := pb.NewPeersClient(w.conn(id)).Admit(w.context(10*time.Second), &pb.AdmitRequest{NodeId: invented + 10, Incarnation: "invented", DeploymentId: 7})
			require.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
			require.ErrorContains(t, err, "servers add")
		}
		require.Equal(t, before, size())
	})
}
