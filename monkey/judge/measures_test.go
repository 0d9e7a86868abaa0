// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
)

// put is a write to cluster 1 through a host, from one second to another.
func put(host string, from, to int) history.Op {
	return history.Op{Cluster: 1, Kind: history.Put, Host: host + ":2", Call: second(from), Return: second(to), Outcome: history.OK}
}

func TestReplacementStall(t *testing.T) {
	at := func(n int) time.Duration { return time.Duration(n) * time.Second }
	leader := func(n int, node uint64) timeline.Entry {
		return timeline.Entry{At: at(n), Fact: timeline.LeaderAnnounced{Cluster: 1, Node: node, Leader: node}}
	}
	began := func(n, id int, host string, forever bool) timeline.Entry {
		return timeline.Entry{At: at(n), Fact: timeline.InjectionBegan{Fault: "kill", ID: id, Hosts: []string{host}, Forever: forever}}
	}
	ended := func(n, id int) timeline.Entry {
		return timeline.Entry{At: at(n), Fact: timeline.InjectionEnded{ID: id}}
	}
	planned := timeline.Entry{At: at(20), Fact: timeline.Decided{Event: "operation-planned", Request: "add-observer", Cluster: 1}}
	repaired := timeline.Entry{At: at(30), Fact: timeline.ClusterRepaired{How: timeline.Replaced, Cluster: 1}}
	events := []timeline.Entry{leader(1, 1), began(5, 1, "nodehost-3", true), planned, repaired}
	with := func(more ...timeline.Entry) []timeline.Entry {
		all := append(slices.Clone(events), more...)
		slices.SortStableFunc(all, func(a, b timeline.Entry) int { return cmp.Compare(a.At, b.At) })
		return all
	}
	for name, c := range map[string]struct {
		events []timeline.Entry
		ops    []history.Op
		want   time.Duration
	}{
		"the longest one counts":         {events, []history.Op{put("nodehost-1", 21, 22), put("nodehost-1", 23, 26), put("nodehost-2", 29, 30)}, at(3)},
		"not before or after":            {events, []history.Op{put("nodehost-1", 1, 15), put("nodehost-1", 21, 22), put("nodehost-1", 31, 60)}, at(1)},
		"it was over when heard of":      {with(timeline.Entry{At: at(40), Fact: timeline.ClusterRepaired{How: timeline.Replaced, Cluster: 1}}, timeline.Entry{At: at(40) + 400*time.Millisecond, Fact: planned.Fact}), []history.Op{put("nodehost-1", 0, 0), {Cluster: 1, Kind: history.Put, Host: "nodehost-1:2", Call: second(40) - 80, Return: second(40) - 50, Outcome: history.OK}}, 30},
		"not through the dead host":      {events, []history.Op{put("nodehost-3", 21, 29), put("nodehost-1", 29, 30)}, at(1)},
		"not just after another fault":   {with(began(10, 2, "nodehost-5", false), ended(15, 2)), []history.Op{put("nodehost-1", 21, 29)}, 0},
		"long after another fault":       {with(began(6, 2, "nodehost-5", false), ended(9, 2)), []history.Op{put("nodehost-1", 21, 29)}, at(8)},
		"not while another fault begins": {with(began(25, 2, "nodehost-5", false)), []history.Op{put("nodehost-1", 21, 29)}, 0},
		"not while another host dies":    {with(began(25, 2, "nodehost-5", true)), []history.Op{put("nodehost-1", 21, 29)}, 0},
		"also while the leader changes":  {with(leader(25, 2)), []history.Op{put("nodehost-1", 21, 29)}, at(8)},
		"not just after the death":       {with(began(11, 2, "nodehost-5", true)), []history.Op{put("nodehost-1", 21, 29)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Recording{Timeline: timeline.Pair(c.events), History: &history.Run{Ops: c.ops}, Outcome: &rundir.Outcome{Elapsed: time.Minute}}
			require.Equal(t, c.want, r.replacementStall())
		})
	}
}

func TestNodesThatRunAgainOnAnEmptyDisk(t *testing.T) {
	at := func(n int) time.Duration { return time.Duration(n) * time.Second }
	runs := func(n int, host string, node uint64) timeline.Entry {
		return timeline.Entry{At: at(n), Fact: timeline.LeaderAnnounced{Host: host, Cluster: 1, Node: node, Leader: 9}}
	}
	struck := func(n int, kind string) timeline.Entry {
		return timeline.Entry{At: at(n), Fact: timeline.InjectionBegan{Fault: kind, ID: n, Hosts: []string{"nodehost-1"}}}
	}
	for name, c := range map[string]struct {
		events []timeline.Entry
		want   int
	}{
		"it ran before and runs again":    {[]timeline.Entry{runs(1, "nodehost-1", 3), struck(5, "wipe"), runs(9, "nodehost-1", 3), runs(10, "nodehost-1", 3)}, 1},
		"its successor runs there":        {[]timeline.Entry{runs(1, "nodehost-1", 3), struck(5, "wipe"), runs(9, "nodehost-1", 4), runs(10, "nodehost-1", 4)}, 0},
		"it runs on another host":         {[]timeline.Entry{runs(1, "nodehost-2", 3), struck(5, "wipe"), runs(9, "nodehost-2", 3)}, 0},
		"the disk was not lost":           {[]timeline.Entry{runs(1, "nodehost-1", 3), struck(5, "kill"), runs(9, "nodehost-1", 3)}, 0},
		"the disk was lost before it ran": {[]timeline.Entry{struck(1, "wipe"), runs(5, "nodehost-1", 3), runs(9, "nodehost-1", 3)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, (&Recording{Timeline: timeline.Pair(c.events)}).restartedWithoutLog())
		})
	}
}

func TestInterruptedRepairs(t *testing.T) {
	at := func(n int) time.Duration { return time.Duration(n) * time.Second }
	planned := timeline.Entry{At: at(20), Fact: timeline.Decided{Event: "operation-planned", Request: "add-observer", Cluster: 1}}
	repaired := func(n int, how timeline.Repair) timeline.Entry {
		return timeline.Entry{At: at(n), Fact: timeline.ClusterRepaired{How: how, Cluster: 1}}
	}
	down := func(n int, kind, target string) timeline.Entry {
		return timeline.Entry{At: at(n), Fact: timeline.InjectionBegan{Fault: kind, Target: target, ID: n, Hosts: []string{"drummer-2"}}}
	}
	for name, c := range map[string]struct {
		events []timeline.Entry
		want   int
	}{
		"the leader dies meanwhile":     {[]timeline.Entry{planned, down(25, "kill", "drummer-leader"), repaired(30, timeline.Replaced)}, 1},
		"any server dies meanwhile":     {[]timeline.Entry{planned, down(25, "power-loss", "drummer-2"), repaired(30, timeline.Replaced)}, 1},
		"two die meanwhile":             {[]timeline.Entry{planned, down(25, "kill", "drummer"), down(26, "kill", "drummer"), repaired(30, timeline.Replaced)}, 1},
		"it dies before":                {[]timeline.Entry{down(19, "kill", "drummer-leader"), planned, repaired(30, timeline.Replaced)}, 0},
		"it dies afterwards":            {[]timeline.Entry{planned, repaired(30, timeline.Replaced), down(31, "kill", "drummer-leader")}, 0},
		"it is cut off meanwhile":       {[]timeline.Entry{planned, down(25, "partition", "drummer-leader"), repaired(30, timeline.Replaced)}, 0},
		"a NodeHost dies meanwhile":     {[]timeline.Entry{planned, down(25, "kill", "nodehost"), repaired(30, timeline.Replaced)}, 0},
		"it was no replacement":         {[]timeline.Entry{planned, down(25, "kill", "drummer-leader"), repaired(30, timeline.Moved)}, 0},
		"it was over when heard of":     {[]timeline.Entry{down(19, "kill", "drummer-leader"), repaired(19, timeline.Replaced), {At: at(19) + 400*time.Millisecond, Fact: planned.Fact}}, 1},
		"it dies between two of theirs": {[]timeline.Entry{planned, repaired(22, timeline.Replaced), down(25, "kill", "drummer-leader"), repaired(30, timeline.Replaced)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, (&Recording{Timeline: timeline.Pair(c.events)}).interruptedRepairs())
		})
	}
}

func TestReasonsOfWhatWasLateOrSkippedAreCounted(t *testing.T) {
	began := func(id int, planned time.Duration, waited string) timeline.Entry {
		return timeline.Entry{At: 10 * time.Second, Fact: timeline.InjectionBegan{Fault: "kill", Target: "nodehost", ID: id, Planned: planned, Waited: waited}}
	}
	skipped := func(id int, forever bool, why string) timeline.Entry {
		return timeline.Entry{At: 20 * time.Second, Fact: timeline.InjectionSkipped{Fault: "kill", Target: "nodehost", ID: id, Forever: forever, Planned: time.Second, Reason: why}}
	}
	r := &Recording{Timeline: timeline.Pair([]timeline.Entry{
		began(1, 10*time.Second, ""), began(2, 8*time.Second, "no target"), began(3, 9*time.Second, "no target"),
		skipped(4, false, "no leader"), skipped(5, true, "a quorum"),
	})}
	require.Equal(t, []Fault{
		{Kind: "kill", Target: "nodehost", Injected: 3, Skipped: 1, MaxLateSeconds: 2,
			LateReasons: map[string]int{"no target": 2}, SkippedReasons: map[string]int{"no leader": 1}},
		{Kind: "kill", Target: "nodehost", Forever: true, Skipped: 1, SkippedReasons: map[string]int{"a quorum": 1}},
	}, r.faultRows())
}

// A stall is excused only if the cluster had no quorum for at least half of it.
func TestStallsAreExcusedByOutagesOfAtLeastHalfOfThem(t *testing.T) {
	at := func(n int) time.Duration { return time.Duration(n) * time.Second }
	outage := func(cluster uint64, from, to int) []timeline.Entry {
		return []timeline.Entry{{At: at(from), Fact: timeline.QuorumLost{Cluster: cluster}}, {At: at(to), Fact: timeline.QuorumRegained{Cluster: cluster}}}
	}
	clusters := []invariant.Cluster{{Cluster: 1, Size: 3}}
	ops := []history.Op{put("nodehost-1", 1, 2), put("nodehost-1", 10, 30)}
	for name, c := range map[string]struct {
		events         []timeline.Entry
		stall, excused float64 // seconds
	}{
		"no outage":            {nil, 20, 0},
		"an outage at its end": {outage(1, 28, 40), 20, 0},
		"an outage for half":   {outage(1, 5, 20), 1, 20},
		"two short outages":    {slices.Concat(outage(1, 10, 16), outage(1, 20, 25)), 1, 20},
		"of another cluster":   {outage(2, 5, 40), 20, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Recording{Timeline: timeline.Pair(c.events), History: &history.Run{Ops: ops}, Outcome: &rundir.Outcome{Elapsed: time.Minute}}
			p := r.repair(r.stalls(clusters))
			require.Equal(t, []float64{c.stall, c.excused}, []float64{p.MaxWriteStallSeconds, p.MaxExcusedStallSeconds})
		})
	}
}
