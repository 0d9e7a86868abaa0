// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
)

// FuzzRecovery: whatever cluster and node somebody wants to recover, of a NodeHost
// with a cluster that has a quorum and one that has none, nothing panics and each
// call is answered or refused with a code that says why.
func FuzzRecovery(f *testing.F) {
	for _, cluster := range []uint64{0, 1, 2, 3} {
		for _, node := range []uint64{0, 1, 2, 1 << 63} {
			f.Add(cluster, node)
		}
	}
	f.Fuzz(func(t *testing.T, cluster, node uint64) {
		synctest.Test(t, func(t *testing.T) { recoverAny(t, cluster, node) })
	})
}

// oneOfTwo is the agent of a NodeHost with a node of cluster 1, which is whole, and one
// of cluster 2, whose other member is nowhere.
func oneOfTwo(t *testing.T) (*Agent, *dragonboat.NodeHost) {
	listener := NewListener(nil, nil)
	conf := testkit.NodeHostConfig("fuzzrecovery", vfs.NewMem())
	conf.RaftEventListener, conf.SystemEventListener = listener, listener
	nodehost, disk, err := diskcheck.Start(conf, nil)
	require.NoError(t, err)
	t.Cleanup(nodehost.Stop)
	a, err := New(nodehost, Config{Drummers: []string{"nobody"}, Listener: listener, Disk: disk, Dial: (&testkit.Net{}).Dial})
	require.NoError(t, err)
	t.Cleanup(a.Close)
	require.NoError(t, nodehost.StartCluster(map[uint64]string{1: "fuzzrecovery"}, false, testkit.NewKV, testkit.RaftConfig(1, 1)))
	require.NoError(t, nodehost.StartCluster(map[uint64]string{1: "fuzzrecovery", 2: "elsewhere"}, false, testkit.NewKV, testkit.RaftConfig(2, 1)))
	time.Sleep(10 * time.Second)
	return a, nodehost
}

// What is left of a node that is being removed is not taken for a recovered one's.
func TestAHalfRemovedNodeIsNotRecovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := oneOfTwo(t)
		require.NoError(t, a.removals.set(key{2, 9}, true))
		_, err := a.Recover(t.Context(), &pb.RecoverReplicaRequest{ClusterId: 2, NewNodeId: 9})
		require.Equal(t, codes.AlreadyExists, status.Code(err), "%v", err)
		_, err = a.Recover(t.Context(), &pb.RecoverReplicaRequest{ClusterId: 2, NewNodeId: 10})
		require.NoError(t, err)
	})
}

func recoverAny(t *testing.T, cluster, node uint64) {
	a, nodehost := oneOfTwo(t)
	_, err := a.Inspect(t.Context(), &pb.InspectReplicaRequest{ClusterId: cluster})
	require.Equal(t, cluster == 1 || cluster == 2, err == nil, "%v", err)
	_, err = a.Recover(t.Context(), &pb.RecoverReplicaRequest{ClusterId: cluster, NewNodeId: node})
	switch code := status.Code(err); {
	case cluster == 2 && node > 2: // node 2 is a member elsewhere
		require.NoError(t, err)
		require.True(t, nodehost.HasNodeInfo(cluster, node))
	case code == codes.Unknown || code == codes.Internal || err == nil:
		t.Fatalf("cluster %d, node %d: %v", cluster, node, err)
	}
}
