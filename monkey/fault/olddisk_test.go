// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func TestAnOldDiskIsCopiedFirstAndSetBackLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		r := carryOut(t, b, planOf(t, "kind: old-disk, target: nodehost-2, at: [5s], age: 20s, for: 30s"), map[time.Duration]func(){
			24 * time.Second: func() { require.True(t, b.Running("nodehost-2"), "it goes on meanwhile") },
			26 * time.Second: func() { require.False(t, b.Running("nodehost-2")) },
		})
		require.Equal(t, []string{"5s copy nodehost-2", "25s restore nodehost-2", "35s boot nodehost-2"}, b.journal())
		require.Equal(t, world.Effect{ProcessesEnded: 1, DisksSetBack: 1}, *facts[timeline.InjectionEnded](r)[0].Effect)
	})
}

func TestAnOldDiskThatIsToBeHealedIsSetBackAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		carryOut(t, b, planOf(t, "kind: old-disk, target: nodehost-2, at: [50s], age: 20s, for: 30s"), nil)
		require.Equal(t, []string{"50s copy nodehost-2", "1m0s restore nodehost-2", "1m0s boot nodehost-2"}, b.journal())
	})
}

func TestAnOldDiskHasACopyOfSomeAge(t *testing.T) {
	for fault, key := range map[string]string{
		"target: drummer, age: 20s, for: 30s":       "target",
		"target: nodehost, age: 10s..30s, for: 40s": "age",
		"target: nodehost, age: 30s..60s, for: 1m":  "age",
		"target: nodehost, age: 30s..60s, for: 61s": "",
	} {
		_, err := scenarios.Parse("test.yaml", []byte("name: test\nduration: 5m\nfaults: [{kind: old-disk, at: [1s], "+fault+"}]\n"))
		if key == "" {
			require.NoError(t, err, fault)
		} else {
			require.ErrorContains(t, err, "faults[0]."+key+": found", fault)
		}
	}
}

// The node on a disk that is set back is replaced, and not started again.
func TestANodeOnAnOldDiskIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := scenarios.Parse("test.yaml", []byte("name: test\nduration: 1m\ndeployment: {drummers: 3, nodehosts: 4}\n"+
			"faults: [{kind: old-disk, target: cluster-follower of 1, at: [1s], age: 30s, for: 32s}]\n"))
		require.NoError(t, err)
		w := simulation(s)
		defer w.Stop()
		require.NoError(t, w.Start(t.Context()))
		write, closeClient := launchOne(t, w)
		defer closeClient()
		r, done := injecting(t, w, s)
		for range 10 { // which the copy does not have
			time.Sleep(2 * time.Second)
			require.NoError(t, write())
		}
		host := r.began(t, 1).Hosts[0]
		before, err := w.Inspect(t.Context(), host)
		require.NoError(t, err)
		require.NoError(t, <-done)
		require.Equal(t, world.Effect{ProcessesEnded: 1, DisksSetBack: 1}, *facts[timeline.InjectionEnded](r)[0].Effect)
		require.Eventually(t, func() bool { return write() == nil }, time.Minute, time.Second)
		require.Eventually(t, func() bool {
			leader, ok := w.ClusterLeader(1)
			if !ok {
				return false
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			m, err := w.Membership(ctx, leader, 1)
			return err == nil && slices.Equal(m.Removed, []uint64{before.Nodes[0].NodeID}) && len(m.Voters) == 3
		}, time.Minute, time.Second)
		require.Empty(t, w.RaftSafety().Breaches)
	})
}
