// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// fleetWith makes a world of hosts and defined clusters of three.
func fleetWith(hosts, clusters int) *world {
	w := newWorld(DefaultPolicy(), 1)
	for i := range hosts {
		w.addHost(fmt.Sprintf("h%d", i+1), "")
	}
	w.lead()
	w.step()
	var specs []*pb.ClusterSpec
	for id := range clusters {
		specs = append(specs, &pb.ClusterSpec{ClusterId: uint64(id + 1), Application: "kv", Size: 3})
	}
	w.define(specs...)
	w.launch()
	return w
}

// settleWithin runs until everything is as specified, and returns the ticks
// that took.
func settleWithin(t *testing.T, w *world, limit int) int {
	for i := range limit {
		if w.state.Operations.Len() == 0 && w.settled() {
			require.Empty(t, w.broken)
			return i
		}
		w.step()
	}
	require.Empty(t, w.broken)
	require.Fail(t, "not settled", "after %d ticks", limit)
	return 0
}

func TestAThousandClustersAreLaunchedWithinAMinuteThoughAHostCrashes(t *testing.T) {
	w := fleetWith(5, 1000)
	for range 10 {
		w.step()
	}
	w.kill(w.hosts["h2"])
	launched := 0
	for ; w.available() < 1000 && launched < 60; launched++ {
		w.step()
	}
	t.Logf("every cluster was available %d ticks after the launch began", 10+launched)
	require.Less(t, 10+launched, 60)
	t.Logf("every lost member was replaced %d ticks later", settleWithin(t, w, 200))
}

func TestAHundredMembersOfADeadHostAreReplacedWithinTenTicksOfItsTimeToLive(t *testing.T) {
	w := fleetWith(9, 300)
	settleWithin(t, w, 60)
	victim := w.hosts["h4"]
	require.GreaterOrEqual(t, len(victim.nodes), 100)
	w.kill(victim)
	ticks := settleWithin(t, w, 60)
	t.Logf("%d members were replaced %d ticks after their host died, time to live %d", len(victim.nodes), ticks, w.policy.TTL)
	require.LessOrEqual(t, ticks, int(w.policy.TTL)+10)
}

// available counts the clusters that Drummer takes for available.
func (w *world) available() int {
	n := 0
	for c := range w.state.Clusters.Values() {
		if w.state.Available(c, w.policy.TTL) {
			n++
		}
	}
	return n
}
