// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/server"
)

func (w *trio) fleet(id uint64) pb.FleetClient { return pb.NewFleetClient(w.conn(id)) }

// add asks for room and starts the new server.
func (w *trio) add() uint64 {
	name := strings.ToLower(w.t.Name()) + "/added-" + string(rune('a'+len(w.disks)))
	peer := server.Peer{RaftAddress: name + "/raft", Address: name + "/grpc"}
	out, err := w.fleet(w.leader()).AddServer(w.context(10*time.Second), &pb.AddServerRequest{RaftAddress: peer.RaftAddress, Address: peer.Address})
	require.NoError(w.t, err)
	id := out.GetNodeId()
	w.members[id], w.disks[id] = peer, vfs.NewMem()
	w.join(id)
	return id
}

func (w *trio) join(id uint64) {
	config := w.config(id)
	config.Join = true
	s, err := server.New(config)
	require.NoError(w.t, err)
	w.servers[id] = s
}

func (w *trio) list() map[uint64]*pb.ServerStatus {
	out, err := w.fleet(w.leader()).ListServers(w.context(10*time.Second), &pb.ListServersRequest{})
	require.NoError(w.t, err)
	servers := map[uint64]*pb.ServerStatus{}
	for _, s := range out.GetServers() {
		servers[s.GetNodeId()] = s
	}
	return servers
}

func (w *trio) untilVoter(id uint64) {
	for start := time.Now(); time.Since(start) < 30*time.Second; time.Sleep(200 * time.Millisecond) {
		if w.list()[id].GetRole() == pb.MemberRole_VOTER {
			return
		}
	}
	w.t.Fatalf("server %d is no voter after 30 s", id)
}

// A server dies for good; another one takes its place, and in the end leads.
func TestDeadServerIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		dead := w.leader()
		w.stop(dead)
		time.Sleep(10 * time.Second)
		id := w.add()
		require.Equal(t, uint64(4), id)
		w.untilVoter(id)
		servers := w.list()
		require.Len(t, servers, 4)
		require.False(t, servers[dead].GetAlive())
		require.True(t, servers[id].GetAlive())
		require.Equal(t, w.members[id].Address, servers[id].GetAddress(), "others know where it is")
		require.NotZero(t, servers[id].GetVersion())

		_, err := w.fleet(w.leader()).RemoveServer(w.context(10*time.Second), &pb.RemoveServerRequest{NodeId: dead})
		require.NoError(t, err)
		require.Len(t, w.list(), 3)
		_, err = w.fleet(w.leader()).RemoveServer(w.context(10*time.Second), &pb.RemoveServerRequest{NodeId: dead})
		require.NoError(t, err, "the same again")

		// The joined server restarts as it joined, and takes part in quorums.
		w.stop(id)
		w.join(id)
		for old := range w.members {
			if old != id && old != dead {
				w.stop(old)
				break
			}
		}
		w.leader()
	})
}

func TestRedirectToAServerThatWasAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 1)
		id := w.add()
		w.untilVoter(id)
		require.NoError(t, w.servers[1].NodeHost().RequestLeaderTransfer(server.ClusterID, id))
		for start := time.Now(); time.Since(start) < 20*time.Second && w.leader() != id; time.Sleep(100 * time.Millisecond) {
		}
		require.Equal(t, id, w.leader())
		_, answer, err := w.attach(1, helloOf("nhid-1"))
		require.NoError(t, err)
		require.Equal(t, w.members[id].Address, answer.GetRedirect().GetLeaderAddress())
		_, answer, err = w.attach(id, helloOf("nhid-1"))
		require.NoError(t, err)
		require.ElementsMatch(t, []string{w.members[1].Address, w.members[id].Address}, answer.GetWelcome().GetServers())
	})
}

func TestRemovalThatCostsTheQuorumIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		leader := w.leader()
		time.Sleep(3 * time.Second)
		var others []uint64
		for id := range w.members {
			if id != leader {
				others = append(others, id)
			}
		}
		w.stop(others[0])
		time.Sleep(10 * time.Second)
		_, err := w.fleet(w.leader()).RemoveServer(w.context(10*time.Second), &pb.RemoveServerRequest{NodeId: others[1]})
		require.Equal(t, codes.FailedPrecondition, status.Code(err), "%v", err)
		require.ErrorContains(t, err, "a quorum needs 2")
		_, err = w.fleet(w.leader()).RemoveServer(w.context(10*time.Second), &pb.RemoveServerRequest{NodeId: others[0]})
		require.NoError(t, err, "the dead one may go")
		_, err = w.fleet(w.leader()).RemoveServer(w.context(10*time.Second), &pb.RemoveServerRequest{NodeId: 99})
		require.Equal(t, codes.NotFound, status.Code(err))
	})
}

// Taking out the leader goes by way of another leader.
func TestLeaderIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		target := w.leader()
		time.Sleep(3 * time.Second)
		var err error
		for start := time.Now(); time.Since(start) < 20*time.Second; time.Sleep(500 * time.Millisecond) {
			for id := range w.members {
				if id != target {
					_, err = w.fleet(id).RemoveServer(w.context(10*time.Second), &pb.RemoveServerRequest{NodeId: target})
				}
			}
			if err == nil {
				break
			}
			require.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
		}
		require.NoError(t, err)
		w.stop(target)
		require.Len(t, w.list(), 2)
	})
}

func TestAddServerAgainIsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 1)
		fleet := w.fleet(w.leader())
		first, err := fleet.AddServer(w.context(10*time.Second), &pb.AddServerRequest{RaftAddress: "x", Address: "y"})
		require.NoError(t, err)
		second, err := fleet.AddServer(w.context(10*time.Second), &pb.AddServerRequest{RaftAddress: "x", Address: "y"})
		require.NoError(t, err)
		require.Equal(t, first.GetNodeId(), second.GetNodeId())
		require.Equal(t, pb.MemberRole_OBSERVER, w.list()[first.GetNodeId()].GetRole(), "no voter before it runs")
		require.False(t, w.list()[first.GetNodeId()].GetAlive())
		time.Sleep(20 * time.Second)
		require.Equal(t, pb.MemberRole_OBSERVER, w.list()[first.GetNodeId()].GetRole())
		_, err = fleet.AddServer(w.context(10*time.Second), &pb.AddServerRequest{RaftAddress: w.members[1].RaftAddress, Address: "y"})
		require.Equal(t, codes.FailedPrecondition, status.Code(err), "%v", err)
		require.ErrorContains(t, err, "servers remove 1")
		for _, bad := range []*pb.AddServerRequest{{}, {RaftAddress: "x"}, {Address: "y"}, {RaftAddress: "X", Address: "y"}} {
			_, err := fleet.AddServer(w.context(10*time.Second), bad)
			require.Equal(t, codes.InvalidArgument, status.Code(err))
		}
	})
}

// A removal that leaves no working majority is carried out only when it is forced,
// and one that can't be carried out is refused at once: nobody waits for an answer
// that never comes.
func TestRemovalsAreRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		leader := w.leader()
		time.Sleep(3 * time.Second)
		others := w.others(leader)
		remove := func(id uint64, force bool) error {
			start := time.Now()
			_, err := w.fleet(leader).RemoveServer(w.context(20*time.Second), &pb.RemoveServerRequest{NodeId: id, Force: force})
			require.Less(t, time.Since(start), time.Second)
			return err
		}
		refused := func(err error, why string) {
			t.Helper()
			require.Equal(t, codes.FailedPrecondition, status.Code(err), "%v", err)
			require.ErrorContains(t, err, why)
		}
		w.stop(others[0])
		time.Sleep(10 * time.Second)
		refused(remove(others[1], false), "force it (--yes)")
		require.NoError(t, remove(others[1], true))
		require.ElementsMatch(t, []uint64{others[0], leader}, slices.Collect(maps.Keys(w.localVoters(leader))))
		refused(remove(others[0], true), "1 of 2 servers of DrummerDB are alive, and a change of its membership needs 2")

		w.start(others[0]) // the removal is done with once the other is back
		time.Sleep(10 * time.Second)
		leader = w.leader()
		for id := range w.localVoters(leader) {
			if id != leader {
				require.NoError(t, remove(id, true))
			}
		}
		refused(remove(leader, true), "is the last one of DrummerDB")
	})
}

// localVoters are the members that vote, as a server knows without asking others.
func (w *trio) localVoters(id uint64) map[uint64]string {
	info := w.servers[id].NodeHost().GetNodeHostInfo(dragonboat.NodeHostInfoOption{SkipLogInfo: true})
	require.Len(w.t, info.ClusterInfoList, 1)
	return info.ClusterInfoList[0].Nodes
}
