// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// drawn returns the intents of a schedule.
func drawn(t *testing.T, n int, settings ...string) []intent {
	t.Helper()
	s := newSchedule(scenario(t, settings...), 5)
	all := make([]intent, n)
	for i := range all {
		all[i], _ = s.next()
	}
	return all
}

func TestBurstsHaveTheirShareOfTheOperations(t *testing.T) {
	const n = 30_000
	for _, c := range []struct {
		size, share string
		want        float64
	}{{"5", "50%", 0.5}, {"12", "90%", 0.9}, {"3", "100%", 1}, {"1", "70%", 0}} {
		all := drawn(t, n, "workload.clients=12", "workload.rate=20", "workload.burst={size: "+c.size+", share: "+c.share+"}")
		together := 0
		for i := range all {
			if i > 0 && all[i-1].at == all[i].at {
				require.Equal(t, all[i-1].key, all[i].key)
				require.Equal(t, all[i-1].member()+1, all[i].member())
			}
			if i > 0 && all[i-1].at == all[i].at || i+1 < n && all[i+1].at == all[i].at {
				together++
			}
		}
		require.InDelta(t, c.want, float64(together)/n, 0.03, "%+v", c)
		require.InEpsilon(t, n/20, all[n-1].at.Seconds(), 0.05, "%+v: the rate is as without bursts", c)
	}
}

func TestKeysAreAskedForByZipfsLaw(t *testing.T) {
	const n = 50_000
	for exponent, set := range map[float64]string{0: "0", 0.99: "0.99", 2: "2"} {
		times := map[string]int{}
		for _, in := range drawn(t, n, "workload.zipf="+set, "workload.keys=8", "workload.burst.size=1", "clusters.count=1") {
			times[in.key]++
		}
		require.Len(t, times, 8)
		require.InEpsilon(t, math.Pow(4, exponent), float64(times["1/k0"])/float64(times["1/k3"]), 0.15)
	}
}

func TestAClientWithSeveralOpenOperationsIsSeveralProcesses(t *testing.T) {
	open := func(settings ...string) (most int) {
		synctest.Test(t, func(t *testing.T) {
			target := newFake(1, late)
			_, recorded := run(t, scenario(t, append(settings, "workload.clients=2", "workload.burst.size=2", "workload.rate=200")...), target, time.Minute)
			target.close()
			busyUntil := map[int64]int64{}
			for _, op := range recorded.ops {
				require.LessOrEqual(t, busyUntil[op.Client], op.Call, "client %d has two operations open", op.Client)
				busyUntil[op.Client] = op.Return
				if op.Outcome == history.Unknown {
					busyUntil[op.Client] = math.MaxInt64
				}
				now := 0
				for _, x := range recorded.ops {
					if x.Call <= op.Call && op.Call < x.Return {
						now++
					}
				}
				most = max(most, now)
			}
		})
		return most
	}
	require.Equal(t, 2, open())
	require.Equal(t, 6, open("workload.open=3"))
}

func TestClientsThinkAfterAnAnswer(t *testing.T) {
	ops := func(think string) int {
		var n int
		synctest.Test(t, func(t *testing.T) {
			target := newFake(1, works)
			w, _ := run(t, scenario(t, "workload.clients=5", "workload.rate=200", "workload.think="+think), target, time.Minute)
			target.close()
			n = w.Stats().Total()
		})
		return n
	}
	require.Greater(t, ops("0"), 5_000)
	require.InDelta(t, 5*60, ops("1s"), 10, "each of five clients has one operation a second")
}

func TestClustersAreAskedByZipfsLaw(t *testing.T) {
	const n = 50_000
	for exponent, set := range map[float64]string{0: "0", 1: "1", 2: "2"} {
		times := map[uint64]int{}
		for _, in := range drawn(t, n, "workload.cluster_zipf="+set, "workload.burst.size=1", "clusters.count=8", "clusters.first=5") {
			times[in.cluster]++
		}
		require.Len(t, times, 8)
		require.InEpsilon(t, math.Pow(4, exponent), float64(times[5])/float64(times[8]), 0.15)
	}
}
