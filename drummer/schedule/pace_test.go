// SPDX-License-Identifier: Apache-2.0

package schedule_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/model"
)

// fleetWith makes a world of hosts and defined clusters of three.
func fleetWith(hosts, clusters int) *model.Fleet {
	w := model.New(schedule.DefaultPolicy(), 1)
	for i := range hosts {
		w.AddHost(fmt.Sprintf("h%d", i+1), "")
	}
	w.ChangeLeader()
	w.Step()
	var specs []*pb.ClusterSpec
	for id := range clusters {
		specs = append(specs, &pb.ClusterSpec{ClusterId: uint64(id + 1), Application: "kv", Size: 3})
	}
	w.Define(specs...)
	w.Launch()
	return w
}

// settleWithin runs until everything is as specified, and returns the ticks
// that took.
func settleWithin(t *testing.T, w *model.Fleet, limit int) int {
	for i := range limit {
		if w.State.Operations.Len() == 0 && w.Settled() {
			require.Empty(t, w.Violations)
			return i
		}
		w.Step()
	}
	require.Empty(t, w.Violations)
	require.Fail(t, "not settled", "after %d ticks", limit)
	return 0
}

func TestAThousandClustersAreLaunchedWithinAMinuteThoughAHostCrashes(t *testing.T) {
	w := fleetWith(5, 1000)
	for range 10 {
		w.Step()
	}
	w.Kill(w.Hosts["h2"])
	launched := 0
	for ; available(w) < 1000 && launched < 60; launched++ {
		w.Step()
	}
	t.Logf("every cluster was available %d ticks after the launch began", 10+launched)
	require.Less(t, 10+launched, 60)
	t.Logf("every lost member was replaced %d ticks later", settleWithin(t, w, 200))
}

func TestAHundredMembersOfADeadHostAreReplacedWithinTenTicksOfItsTimeToLive(t *testing.T) {
	w := fleetWith(9, 300)
	settleWithin(t, w, 60)
	victim := w.Hosts["h4"]
	require.GreaterOrEqual(t, len(victim.Nodes), 100)
	w.Kill(victim)
	ticks := settleWithin(t, w, 60)
	t.Logf("%d members were replaced %d ticks after their host died, time to live %d", len(victim.Nodes), ticks, w.Policy.TTL)
	require.LessOrEqual(t, ticks, int(w.Policy.TTL)+10)
}

// available counts the clusters that Drummer takes for available.
func available(w *model.Fleet) int {
	n := 0
	for c := range w.State.Clusters.Values() {
		if w.State.Location(c, w.Policy.TTL).Available {
			n++
		}
	}
	return n
}
