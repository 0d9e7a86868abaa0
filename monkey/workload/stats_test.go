// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// event is a moment in the life of the writes of one cluster, in seconds.
type event struct {
	at    float64
	write string          // its name
	ends  history.Outcome // empty: it begins
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func TestStallIsTheTimeWritersWaitForAnySuccess(t *testing.T) {
	tests := []struct {
		name   string
		events []event
		now    float64
		stall  float64
		end    float64
	}{
		{"nobody wants to write", nil, 100, 0, 0},
		{"a pause without writers is none", []event{{1, "a", ""}, {2, "a", "ok"}, {50, "b", ""}, {51, "b", "ok"}}, 100, 1, 2},
		{"a failed write waits for the next that succeeds",
			[]event{{1, "a", ""}, {2, "a", "fail"}, {9, "b", ""}, {10, "b", "ok"}}, 100, 9, 10},
		{"an unknown one, too",
			[]event{{1, "a", ""}, {6, "a", "unknown"}, {9, "b", ""}, {10, "b", "ok"}}, 100, 9, 10},
		{"others that are open wait from the last success on",
			[]event{{1, "a", ""}, {2, "b", ""}, {3, "b", "ok"}, {8, "a", "fail"}, {9, "c", ""}, {10, "c", "ok"}}, 100, 7, 10},
		{"it goes on until now", []event{{1, "a", ""}, {2, "a", "fail"}}, 100, 99, 100},
		{"the longest counts",
			[]event{{1, "a", ""}, {5, "a", "ok"}, {6, "b", ""}, {8, "b", "ok"}}, 100, 4, 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &stats{clusters: map[uint64]*clusterStats{}}
			open := map[string]*openOp{}
			for _, e := range test.events {
				if e.ends == "" {
					open[e.write] = &openOp{cluster: 1, write: true, wanted: seconds(e.at)}
					s.begin(open[e.write])
				} else {
					s.end(open[e.write], history.Answer{Outcome: e.ends}, seconds(e.at))
				}
			}
			w := &Workload{stats: stats{clusters: s.clusters}, start: time.Now().Add(-seconds(test.now))}
			got := w.Stats()
			stall, _ := got.LongestStall()
			require.InDelta(t, test.stall, stall.Seconds(), 0.1)
			if len(got.Clusters) > 0 {
				require.InDelta(t, test.end, got.Clusters[0].StallEnd.Seconds(), 0.1)
			}
		})
	}
}

func TestReadsAndMismatches(t *testing.T) {
	s := &stats{clusters: map[uint64]*clusterStats{}}
	read := &openOp{cluster: 2}
	s.begin(read)
	s.end(read, history.Answer{Outcome: history.Fail}, seconds(1.5))
	cas := &openOp{cluster: 1, write: true, wanted: seconds(2)}
	s.begin(cas)
	s.end(cas, history.Answer{Outcome: history.Fail, Observed: history.Absent}, seconds(3))
	s.miss(1)
	w := &Workload{stats: stats{clusters: s.clusters, perSecond: s.perSecond}, start: time.Now().Add(-time.Hour)}
	got := w.Stats()
	require.Equal(t, Counts{Fail: 2}, got.Counts)
	require.Equal(t, 2, got.Total())
	require.Equal(t, 1, got.Missed)
	require.Equal(t, []Counts{{}, {Fail: 1}, {}, {Fail: 1}}, got.PerSecond)
	require.Equal(t, uint64(1), got.Clusters[0].Cluster)
	require.Equal(t, time.Second, got.Clusters[0].Stall, "a cas that did not match was applied")
	require.Zero(t, got.Clusters[1].Stall, "a failed read is no stall of writes")
}
