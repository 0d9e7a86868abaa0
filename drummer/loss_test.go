// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/server"
)

// All servers lose their disks. New ones at the same addresses, for which the
// clusters are defined again, repair what they found running.
func TestNewServersRepairTheFleetThatTheyAdopt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 3, 5)
		w.untilAttached()
		clusters := w.launch(6)
		w.writeAll(clusters, "before")
		w.raiseTerm(8)

		for id := range w.drummers {
			w.stopServer(id)
		}
		for id := range w.drummers {
			w.startServer(id, vfs.NewMem())
		}
		w.untilAttached()
		term, _ := w.servers[w.leader()].Leading()
		require.Less(t, term, uint64(8), "the new servers count terms anew")
		w.launch(6)
		w.loseHost(1, clusters)
		w.readAll(clusters, "before")
		w.writeAll(clusters, "after")
	})
}

// raiseTerm has DrummerDB's leaders hand over until it is in a term of at least
// least, and NodeHosts have been asked something in it.
func (w *deployment) raiseTerm(least uint64) {
	w.t.Helper()
	w.until(5*time.Minute, "DrummerDB is in a later term", func() bool {
		leader := w.leader()
		if term, _ := w.servers[leader].Leading(); term >= least {
			return true
		}
		_ = w.servers[leader].NodeHost().RequestLeaderTransfer(server.ClusterID, leader%uint64(len(w.servers))+1)
		time.Sleep(5 * time.Second)
		return false
	})
	w.untilAttached()
	time.Sleep(15 * time.Second) // a leader hears of the fleet before it schedules
	w.loseHost(5, []uint64{1, 2, 3, 4, 5, 6})
	w.startHost(5, vfs.NewMem())
	w.untilAttached()
}

// Servers that are cut off from the fleet for so long that new ones have adopted
// it are refused when they are back, pause, and leave the fleet to the new ones.
func TestOldServersCantCommandAnAdoptedFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 0)
		old := w.drummers[1].Address
		successor := map[uint64]drummer.Peer{1: {RaftAddress: w.at("successor", "raft"), Address: w.at("successor", "grpc")}}
		w.others = []string{successor[1].Address}
		for id := range 4 {
			w.startHost(id+1, vfs.NewMem())
		}
		w.untilAttached()
		clusters := w.launch(3)
		w.writeAll(clusters, "before")

		w.net.Cut(old)
		newer := w.serverOf(successor, 1, vfs.NewMem())
		w.untilAttachedTo(successor[1].Address)

		// The old server is back, and asks to repair what the new one knows nothing
		// about yet.
		w.net.Heal(old)
		newer.Close()
		w.until(time.Minute, "the old server has paused", func() bool { return w.state(1).Paused })
		require.Contains(t, w.state(1).PauseReason, "was adopted by other servers")
		dead := w.hosts[1].nodehost.RaftAddress()
		require.False(t, w.whole(clusters, dead), "the host to lose has nodes")
		w.stopHost(1)
		time.Sleep(2 * time.Minute)
		for _, h := range w.hosts {
			require.Empty(t, h.agent.Attached(), "the old server is refused")
		}
		require.False(t, w.whole(clusters, dead), "the old server changes nothing")
	})
}

// Two sets of servers that both live don't take NodeHosts from each other, also
// when the agents find the newer first.
func TestNewServersLeaveHostsToLivingOldOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 0)
		old := w.drummers[1].Address
		second := map[uint64]drummer.Peer{1: {RaftAddress: w.at("second", "raft"), Address: w.at("second", "grpc")}}
		w.others = []string{second[1].Address}
		for id := range 4 {
			w.startHost(id+1, vfs.NewMem())
		}
		w.untilAttachedTo(old)
		newer := w.serverOf(second, 1, vfs.NewMem())
		defer newer.Close()
		w.until(time.Minute, "the second server leads", func() bool { _, leads := newer.Leading(); return leads })

		for range 5 {
			w.net.Cut(old)
			time.Sleep(8 * time.Second) // streams end, and the agents look for another server
			w.net.Heal(old)
			w.untilAttachedTo(old)
		}
		c, err := client.New(client.Config{Drummers: w.others, Dial: w.net.Dial, Rand: w.rand()})
		require.NoError(t, err)
		defer c.Close()
		hosts, err := c.ListNodeHosts(w.context(10 * time.Second))
		require.NoError(t, err)
		require.Empty(t, hosts.GetHosts())
		require.False(t, w.state(1).Paused)
		w.until(10*time.Second, "the old server has its hosts", func() bool { return w.hostState(1) == pb.NodeHostState_UP })
	})
}

// untilAttachedTo waits until every NodeHost is attached to one server.
func (w *deployment) untilAttachedTo(address string) {
	w.t.Helper()
	w.until(time.Minute, "all NodeHosts are attached to "+address, func() bool {
		for _, h := range w.hosts {
			if h.agent.Attached() != address {
				return false
			}
		}
		return true
	})
}
