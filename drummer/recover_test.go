// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

func (w *deployment) location(id uint64) *pb.ClusterLocation {
	out, err := w.client.Locate(w.context(10*time.Second), id)
	require.NoError(w.t, err)
	require.Len(w.t, out.GetClusters(), 1)
	return out.GetClusters()[0]
}

// Two of a cluster's three hosts die for good at one instant. It is recovered from
// the third, grows back to three members, and a dead host that comes back all the
// same does no harm.
func TestAClusterWithoutAQuorumIsRecovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 6)
		w.untilAttached()
		clusters := w.launch(1)
		w.writeAll(clusters, "before")
		var dead []int
		var disk vfs.FS
		for id, h := range w.hosts {
			if len(dead) < 2 && !w.whole(clusters, h.nodehost.RaftAddress()) {
				dead = append(dead, id)
				disk = h.disk
			}
		}
		before := w.location(1)
		for _, m := range before.GetMembers() {
			_, err := w.client.NodeHost(m.GetApiAddress()).RecoverReplica(w.context(time.Minute), 1, before.GetNextNodeId())
			require.Equal(t, codes.FailedPrecondition, status.Code(err), "it has a quorum: %v", err)
		}
		for _, id := range dead {
			w.stopHost(id)
		}
		time.Sleep(time.Minute)

		lost := w.location(1)
		require.False(t, lost.GetAvailable())
		var survivor *pb.MemberLocation
		for _, m := range lost.GetMembers() {
			if m.GetRunning() {
				survivor = m
			}
		}
		require.NotNil(t, survivor)
		api := w.client.NodeHost(survivor.GetApiAddress())
		log, err := api.InspectReplica(w.context(time.Minute), 1)
		require.NoError(t, err)
		require.Equal(t, survivor.GetNodeId(), log.GetNodeId())
		require.Positive(t, log.GetLastTerm())
		next := lost.GetNextNodeId()
		err = w.client.RecoverCluster(w.context(time.Minute), "a test", 1, next, survivor.GetNodehostId())
		require.Equal(t, codes.NotFound, status.Code(err), "there is no such node yet: %v", err)
		done, err := api.RecoverReplica(w.context(time.Minute), 1, next)
		require.NoError(t, err)
		require.LessOrEqual(t, done.GetIndex(), done.GetLastIndex())
		_, err = api.RecoverReplica(w.context(time.Minute), 1, next)
		require.Equal(t, codes.AlreadyExists, status.Code(err), "%v", err)
		w.until(time.Minute, "Drummer takes the cluster back", func() bool {
			return w.client.RecoverCluster(w.context(10*time.Second), "a test", 1, next, survivor.GetNodehostId()) == nil
		})
		w.until(3*time.Minute, "the cluster has three members", func() bool { return w.members(1) == 3 })
		w.readAll(clusters, "before")
		w.writeAll(clusters, "after")

		w.startHost(dead[1], disk)
		w.until(3*time.Minute, "what was given up is removed", func() bool { running, logs := w.nodes(); return running == 3 && logs == 3 })
		require.Equal(t, 3, w.members(1))
		w.readAll(clusters, "after")
		err = w.client.RecoverCluster(w.context(time.Minute), "a test", 1, next, survivor.GetNodehostId())
		require.NoError(t, err, "asked again, it is done already")
	})
}

// A cluster that would get its quorum back by itself is not given up.
func TestAClusterThatMayComeBackIsNotRecovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 3)
		w.untilAttached()
		w.launch(1)
		l := w.location(1)
		m := l.GetMembers()[0]
		err := w.client.RecoverCluster(w.context(time.Minute), "a test", 1, m.GetNodeId(), m.GetNodehostId())
		require.Equal(t, codes.AlreadyExists, status.Code(err), "%v", err)
	})
}
