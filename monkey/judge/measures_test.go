// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
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
		"not through the dead host":      {events, []history.Op{put("nodehost-3", 21, 29), put("nodehost-1", 29, 30)}, at(1)},
		"not just after another fault":   {with(began(10, 2, "nodehost-5", false), ended(15, 2)), []history.Op{put("nodehost-1", 21, 29)}, 0},
		"long after another fault":       {with(began(6, 2, "nodehost-5", false), ended(9, 2)), []history.Op{put("nodehost-1", 21, 29)}, at(8)},
		"not while another fault begins": {with(began(25, 2, "nodehost-5", false)), []history.Op{put("nodehost-1", 21, 29)}, 0},
		"not while another host dies":    {with(began(25, 2, "nodehost-5", true)), []history.Op{put("nodehost-1", 21, 29)}, 0},
		"not while the leader changes":   {with(leader(25, 2)), []history.Op{put("nodehost-1", 21, 29)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Recording{Timeline: timeline.Pair(c.events), History: &history.Run{Ops: c.ops}, Outcome: &rundir.Outcome{Elapsed: time.Minute}}
			require.Equal(t, c.want, r.replacementStall())
		})
	}
}
