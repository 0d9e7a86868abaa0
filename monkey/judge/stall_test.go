// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

// put is a write to cluster 1 through a host, from one second to another.
func put(host string, from, to int) history.Op {
	return history.Op{Cluster: 1, Kind: history.Put, Host: host + ":2", Call: second(from), Return: second(to), Outcome: history.OK}
}

func TestReplacementStall(t *testing.T) {
	at := func(n int) time.Duration { return time.Duration(n) * time.Second }
	leader := func(n int, node uint64) rundir.Event {
		return rundir.Event{At: at(n), Kind: rundir.Leader, Cluster: 1, LeaderID: node}
	}
	events := []rundir.Event{
		leader(1, 1),
		{At: at(5), Kind: rundir.FaultBegin, Fault: "kill", ID: 1, Hosts: []string{"nodehost-3"}, Forever: true},
		{At: at(20), Kind: rundir.Decision, Op: "operation-planned", Request: "add-observer", Cluster: 1},
		{At: at(30), Kind: rundir.Repaired, Op: rundir.Replaced, Cluster: 1},
	}
	for name, c := range map[string]struct {
		events []rundir.Event
		ops    []history.Op
		want   time.Duration
	}{
		"the longest one counts":    {events, []history.Op{put("nodehost-1", 21, 22), put("nodehost-1", 23, 26), put("nodehost-2", 29, 30)}, at(3)},
		"not before or after":       {events, []history.Op{put("nodehost-1", 1, 15), put("nodehost-1", 21, 22), put("nodehost-1", 31, 60)}, at(1)},
		"not through the dead host": {events, []history.Op{put("nodehost-3", 21, 29), put("nodehost-1", 29, 30)}, at(1)},
		"not just after another fault": {append([]rundir.Event{events[0], events[1],
			{At: at(10), Kind: rundir.FaultBegin, Fault: "kill", ID: 2, Hosts: []string{"nodehost-5"}},
			{At: at(15), Kind: rundir.FaultEnd, Fault: "kill", ID: 2, Hosts: []string{"nodehost-5"}}}, events[2:]...), []history.Op{put("nodehost-1", 21, 29)}, 0},
		"not while another fault begins": {append([]rundir.Event{events[0], events[1], events[2],
			{At: at(25), Kind: rundir.FaultBegin, Fault: "kill", ID: 2, Hosts: []string{"nodehost-5"}}}, events[3:]...), []history.Op{put("nodehost-1", 21, 29)}, 0},
		"not while the leader changes": {append([]rundir.Event{events[0], events[1], events[2], leader(25, 2)}, events[3:]...), []history.Op{put("nodehost-1", 21, 29)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			e := &evidence{events: c.events, history: &history.Run{Ops: c.ops}, outcome: &rundir.Outcome{Elapsed: time.Minute}}
			require.Equal(t, c.want, e.replacementStall())
		})
	}
}
