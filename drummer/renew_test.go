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

// Another Raft configuration is taken over by a rolling restart, in which each
// node is restarted once and writes go on all the time.
func TestAnotherRaftConfigurationIsRolledOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 3, 4)
		w.untilAttached()
		clusters := w.launch(3)
		w.writeAll(clusters, "before")
		time.Sleep(5 * time.Second)
		var specs []*pb.ClusterSpec
		for _, id := range clusters {
			specs = append(specs, &pb.ClusterSpec{ClusterId: id, Application: "kv", Size: 3, Raft: &pb.RaftConfig{ElectionRtt: 20, HeartbeatRtt: 2}})
		}
		_, err := w.fleet().UpdateClusters(w.context(10*time.Second), &pb.UpdateClustersRequest{Specs: specs, By: "a test"})
		require.NoError(t, err)
		done, stalls := make(chan struct{}), make(chan time.Duration, len(clusters))
		for _, id := range clusters {
			go func() { stalls <- w.writeUntil(done, id) }()
		}
		time.Sleep(5 * time.Second) // the update is known, and the first restart has begun
		w.until(2*time.Minute, "nothing is left to do", func() bool { return w.content(clusters) })
		close(done)
		for range clusters {
			stall := <-stalls
			t.Logf("the longest stall of writes was %v", stall)
			require.Less(t, stall, 3*time.Second, "an election at most")
		}
		w.readAll(clusters, "before")
		restarts := 0
		events, err := w.client.ListEvents(w.context(10*time.Second), &pb.ListEventsRequest{})
		require.NoError(t, err)
		for _, ev := range events.GetEvents() {
			if ev.GetKind() == pb.EventOperationPlanned && ev.GetRequest() == pb.RequestKind_START_NODE {
				restarts++
			}
		}
		require.Equal(t, 3*len(clusters)*2, restarts, "each node was started once and restarted once")
	})
}

// writeUntil writes to a cluster all the time, and returns the longest time
// without an acknowledged write. One that is lost, because its node or the leader
// it was sent on to stopped in the middle, is given up after a second.
func (w *deployment) writeUntil(done <-chan struct{}, id uint64) (longest time.Duration) {
	last := time.Now()
	for i := 0; ; i++ {
		select {
		case <-done:
			return longest
		case <-time.After(10 * time.Millisecond):
		}
		if _, err := w.client.Propose(w.context(time.Second), id, testkit.Put("during", fmt.Sprint(i))); err == nil {
			longest = max(longest, time.Since(last))
			last = time.Now()
		}
	}
}

// content reports whether Drummer wants nothing of the clusters.
func (w *deployment) content(ids []uint64) bool {
	out, err := w.client.Locate(w.context(10*time.Second), ids...)
	require.NoError(w.t, err)
	require.Len(w.t, out.GetClusters(), len(ids))
	for _, c := range out.GetClusters() {
		if c.GetWaitingFor() != "" || !c.GetAvailable() {
			return false
		}
	}
	return true
}
