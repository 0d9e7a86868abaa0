// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"testing"
	"testing/synctest"
	"time"

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

func recoverAny(t *testing.T, cluster, node uint64) {
	listener := NewListener(nil, nil)
	conf := testkit.NodeHostConfig("fuzzrecovery", vfs.NewMem())
	conf.RaftEventListener, conf.SystemEventListener = listener, listener
	nodehost, disk, err := diskcheck.Start(conf, nil)
	require.NoError(t, err)
	defer nodehost.Stop()
	a, err := New(nodehost, Config{Drummers: []string{"nobody"}, Listener: listener, Disk: disk, Dial: (&testkit.Net{}).Dial})
	require.NoError(t, err)
	defer a.Close()
	require.NoError(t, nodehost.StartCluster(map[uint64]string{1: "fuzzrecovery"}, false, testkit.NewKV, testkit.RaftConfig(1, 1)))
	require.NoError(t, nodehost.StartCluster(map[uint64]string{1: "fuzzrecovery", 2: "elsewhere"}, false, testkit.NewKV, testkit.RaftConfig(2, 1)))
	time.Sleep(10 * time.Second)
	_, err = a.Inspect(t.Context(), &pb.InspectReplicaRequest{ClusterId: cluster})
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
