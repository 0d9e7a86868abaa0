// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

func (w *deployment) fleet() pb.FleetClient {
	conn, err := rpc.Dialer{Dial: w.net.Dial}.Connect(w.drummers[w.leader()].Address)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = conn.Close() })
	return pb.NewFleetClient(conn)
}

// members counts the running voters of a cluster, -1 while it is not settled.
func (w *deployment) members(id uint64) int {
	out, err := w.client.Locate(w.context(20*time.Second), id)
	if err != nil || len(out.GetClusters()) != 1 || !out.GetClusters()[0].GetAvailable() {
		return -1
	}
	for _, m := range out.GetClusters()[0].GetMembers() {
		if m.GetRole() != pb.MemberRole_VOTER || !m.GetRunning() {
			return -1
		}
	}
	return len(out.GetClusters()[0].GetMembers())
}

// nodes counts what is on all NodeHosts, in truth: running nodes and logs.
func (w *deployment) nodes() (running, logs int) {
	for _, h := range w.hosts {
		info := h.nodehost.GetNodeHostInfo(dragonboat.DefaultNodeHostInfoOption)
		running += len(info.ClusterInfoList)
		logs += len(info.LogInfo)
	}
	return running, logs
}

func TestResize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 5)
		w.untilAttached()
		clusters := w.launch(2)
		w.writeAll(clusters, "before")
		for _, size := range []uint32{5, 3} {
			_, err := w.fleet().UpdateClusters(w.context(10*time.Second), &pb.UpdateClustersRequest{
				Specs: []*pb.ClusterSpec{{ClusterId: 1, Application: "kv", Size: size}}, By: "a test"})
			require.NoError(t, err)
			w.until(time.Minute, fmt.Sprintf("cluster 1 has %d members", size), func() bool { return w.members(1) == int(size) })
			w.readAll(clusters, "before")
		}
		w.until(time.Minute, "what was left over is removed", func() bool { running, logs := w.nodes(); return running == 6 && logs == 6 })
		require.Equal(t, 3, w.members(2), "the other one was left alone")
	})
}

func TestDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 3)
		w.untilAttached()
		w.launch(3)
		_, err := w.fleet().DeleteClusters(w.context(10*time.Second), &pb.DeleteClustersRequest{ClusterIds: []uint64{1, 3}})
		require.NoError(t, err)
		w.until(time.Minute, "only cluster 2 is left on the hosts", func() bool { running, logs := w.nodes(); return running == 3 && logs == 3 })
		require.Equal(t, 3, w.members(2))

		// The ID can be used again, for a new life.
		require.NoError(t, w.client.Define(w.context(10*time.Second), "a test", &pb.ClusterSpec{ClusterId: 1, Application: "kv", Size: 3}))
		w.until(time.Minute, "cluster 1 lives again", func() bool { return w.members(1) == 3 })
		data, err := w.client.Read(w.context(10*time.Second), 1, []byte("before"))
		require.NoError(t, err)
		require.Empty(t, data)
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 4)
		w.untilAttached()
		clusters := w.launch(4)
		w.writeAll(clusters, "before")
		address := w.hosts[1].nodehost.RaftAddress()
		require.False(t, w.whole(clusters, address), "the host to drain has nodes")

		dry, err := w.fleet().DryRun(w.context(10*time.Second), &pb.DryRunRequest{Drain: []string{address}})
		require.NoError(t, err)
		require.NotEmpty(t, dry.GetOperations())
		require.Empty(t, dry.GetObjections())
		time.Sleep(20 * time.Second)
		require.False(t, w.whole(clusters, address), "a dry run does nothing")

		_, err = w.fleet().SetHostMode(w.context(10*time.Second), &pb.SetHostModeRequest{Host: address, Mode: pb.HostMode_DRAIN})
		require.NoError(t, err)
		w.until(2*time.Minute, "the host is empty", func() bool { return w.whole(clusters, address) && w.hostState(1) == pb.NodeHostState_DRAINED })
		w.readAll(clusters, "before")

		_, err = w.fleet().SetHostMode(w.context(10*time.Second), &pb.SetHostModeRequest{Host: w.hosts[2].nodehost.ID(), Mode: pb.HostMode_DRAIN})
		require.Equal(t, codes.FailedPrecondition, status.Code(err), "three hosts for three members: %v", err)
		_, err = w.fleet().SetHostMode(w.context(10*time.Second), &pb.SetHostModeRequest{Host: "nobody", Mode: pb.HostMode_DRAIN})
		require.Equal(t, codes.NotFound, status.Code(err))
	})
}

func (w *deployment) hostState(id int) pb.NodeHostState {
	out, err := w.client.ListNodeHosts(w.context(10 * time.Second))
	require.NoError(w.t, err)
	for _, h := range out.GetHosts() {
		if h.GetHost().GetNodehostId() == w.hosts[id].nodehost.ID() {
			return h.GetState()
		}
	}
	return pb.NodeHostState_NODE_HOST_STATE_UNSPECIFIED
}

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 4)
		w.untilAttached()
		clusters := w.launch(3)
		_, err := w.fleet().Pause(w.context(10*time.Second), &pb.PauseRequest{Reason: "maintenance of the power lines", By: "a test"})
		require.NoError(t, err)
		dead := w.hosts[1].nodehost.RaftAddress()
		require.False(t, w.whole(clusters, dead), "the host to lose has nodes")
		w.stopHost(1)
		time.Sleep(2 * time.Minute)
		require.False(t, w.whole(clusters, dead))
		_, err = w.fleet().Resume(w.context(10*time.Second), &pb.ResumeRequest{By: "a test"})
		require.NoError(t, err)
		w.until(time.Minute, "all nodes of the dead host are replaced", func() bool { return w.whole(clusters, dead) })

		var id string
		out, err := w.client.ListNodeHosts(w.context(10 * time.Second))
		require.NoError(t, err)
		for _, h := range out.GetHosts() {
			if h.GetHost().GetRaftAddress() == dead {
				id = h.GetHost().GetNodehostId()
			}
		}
		_, err = w.fleet().ForgetHost(w.context(10*time.Second), &pb.ForgetHostRequest{Host: id})
		require.NoError(t, err)
		_, err = w.fleet().ForgetHost(w.context(10*time.Second), &pb.ForgetHostRequest{Host: w.hosts[2].nodehost.ID()})
		require.Error(t, err, "it is up")
	})
}

func TestEventsAreWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 3)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		stream, err := w.fleet().WatchEvents(ctx, &pb.WatchEventsRequest{})
		require.NoError(t, err)
		w.launch(1)
		last, ended := uint64(0), 0
		for ended < 3 { // three nodes were started
			event, err := stream.Recv()
			require.NoError(t, err)
			require.Greater(t, event.GetSequence(), last)
			last = event.GetSequence()
			if event.GetKind() == pb.EventOperationEnded {
				ended++
			}
		}
	})
}

func TestBadFleetRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 0)
		fleet := w.fleet()
		long := string(make([]byte, 2000))
		refused := func(err error) {
			t.Helper()
			require.Equal(t, codes.InvalidArgument, status.Code(err), "%v", err)
		}
		_, err := fleet.DeleteClusters(w.context(5*time.Second), &pb.DeleteClustersRequest{})
		refused(err)
		_, err = fleet.UpdateClusters(w.context(5*time.Second), &pb.UpdateClustersRequest{})
		refused(err)
		_, err = fleet.Pause(w.context(5*time.Second), &pb.PauseRequest{Reason: long})
		refused(err)
		_, err = fleet.Resume(w.context(5*time.Second), &pb.ResumeRequest{By: long})
		refused(err)
		_, err = fleet.DryRun(w.context(5*time.Second), &pb.DryRunRequest{Drain: make([]string, 101)})
		refused(err)
		_, err = fleet.DryRun(w.context(5*time.Second), &pb.DryRunRequest{Define: []*pb.ClusterSpec{{}}})
		refused(err)
		_, err = fleet.ForgetHost(w.context(5*time.Second), &pb.ForgetHostRequest{Host: "nobody"})
		require.Equal(t, codes.NotFound, status.Code(err))
		dry, err := fleet.DryRun(w.context(5*time.Second), &pb.DryRunRequest{Launched: true, Define: []*pb.ClusterSpec{{ClusterId: 1, Application: "kv", Size: 3}}})
		require.NoError(t, err)
		require.Len(t, dry.GetWaiting(), 1, "there is no host")
		out, err := w.client.Locate(w.context(5 * time.Second))
		require.NoError(t, err)
		require.Empty(t, out.GetClusters())
	})
}

func TestAPastDecisionCanBeRecomputed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 3)
		time.Sleep(20 * time.Second) // the hosts are known, and nothing is defined
		ask := func(req *pb.DryRunRequest) (*pb.DryRunResponse, error) {
			return w.fleet().DryRun(w.context(10*time.Second), req)
		}
		spec := &pb.ClusterSpec{ClusterId: 1, Application: "kv", Size: 3}
		before, err := ask(&pb.DryRunRequest{Launched: true, Define: []*pb.ClusterSpec{spec}})
		require.NoError(t, err)
		require.Len(t, before.GetOperations(), 3)
		require.NoError(t, w.client.Define(w.context(10*time.Second), "a test", spec))
		require.NoError(t, w.client.Launch(w.context(10*time.Second), "a test"))
		time.Sleep(20 * time.Second)

		now, err := ask(&pb.DryRunRequest{})
		require.NoError(t, err)
		require.Greater(t, now.GetDbIndex(), before.GetDbIndex())
		require.Empty(t, now.GetOperations(), "the cluster runs by now")
		again, err := ask(&pb.DryRunRequest{AtIndex: before.GetDbIndex(), Launched: true, Define: []*pb.ClusterSpec{spec}})
		require.NoError(t, err)
		require.True(t, proto.Equal(before, again), "%v\n%v", before, again)

		_, err = ask(&pb.DryRunRequest{AtIndex: now.GetDbIndex() + 1000000})
		require.Equal(t, codes.NotFound, status.Code(err))
	})
}
