// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
)

// A deployment loses a NodeHost for good, and later the Drummer leader and
// another NodeHost: each time every cluster gets its full number of members
// back, and every acknowledged write is still there.
func TestDeadHostsAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 3, 5)
		w.untilAttached()
		clusters := w.launch(6)
		w.writeAll(clusters, "before")

		w.loseHost(1, clusters)
		w.readAll(clusters, "before")
		w.writeAll(clusters, "between")

		w.stopServer(w.leader())
		w.loseHost(2, clusters)
		w.readAll(clusters, "before")
		w.readAll(clusters, "between")
		w.writeAll(clusters, "after")
		w.readAll(clusters, "after")
	})
}

// launch defines clusters 1 to n of three members and waits for all of them.
func (w *deployment) launch(n uint64) []uint64 {
	w.t.Helper()
	ids := w.define(n)
	w.until(time.Minute, "all clusters are launched", func() bool { return w.whole(ids, "") })
	return ids
}

// define defines and launches clusters 1 to n of three members.
func (w *deployment) define(n uint64) []uint64 {
	w.t.Helper()
	var specs []*pb.ClusterSpec
	var ids []uint64
	for id := range n {
		specs = append(specs, &pb.ClusterSpec{ClusterId: id + 1, Application: "kv", Size: 3})
		ids = append(ids, id+1)
	}
	require.NoError(w.t, w.client.Define(w.context(20*time.Second), "a test", specs...))
	require.NoError(w.t, w.client.Launch(w.context(20*time.Second), "a test"))
	return ids
}

// loseHost stops a host for good and waits until its nodes are replaced.
func (w *deployment) loseHost(id int, clusters []uint64) {
	w.t.Helper()
	dead := w.hosts[id].nodehost.RaftAddress()
	require.False(w.t, w.whole(clusters, dead), "the host to lose has nodes")
	w.stopHost(id)
	start := time.Now()
	w.until(time.Minute, "all nodes of the dead host are replaced", func() bool { return w.whole(clusters, dead) })
	w.t.Logf("replaced %v after the death", time.Since(start))
	require.Less(w.t, time.Since(start), 25*time.Second, "time to live and 10 s")
}

// whole reports whether every cluster has three running voters, nothing else, and
// none at the address without.
func (w *deployment) whole(ids []uint64, without string) bool {
	out, err := w.client.Locate(w.context(20*time.Second), ids...)
	if err != nil || len(out.GetClusters()) != len(ids) {
		return false
	}
	for _, cluster := range out.GetClusters() {
		if len(cluster.GetMembers()) != 3 || !cluster.GetAvailable() {
			return false
		}
		for _, m := range cluster.GetMembers() {
			if m.GetRole() != pb.MemberRole_VOTER || !m.GetRunning() || m.GetRaftAddress() == without {
				return false
			}
		}
	}
	return true
}

func (w *deployment) writeAll(ids []uint64, value string) {
	w.t.Helper()
	for _, id := range ids {
		_, err := w.client.Propose(w.context(20*time.Second), id, testkit.Put(value, fmt.Sprint(value, id)))
		require.NoError(w.t, err)
	}
}

func (w *deployment) readAll(ids []uint64, value string) {
	w.t.Helper()
	for _, id := range ids {
		data, err := w.client.Read(w.context(20*time.Second), id, []byte(value))
		require.NoError(w.t, err)
		require.Equal(w.t, fmt.Sprint(value, id), string(data))
	}
}
