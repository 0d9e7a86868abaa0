// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
)

func TestWhatDrummerAskedForIsCounted(t *testing.T) {
	decided := func(kind string, n int) (all []timeline.Entry) {
		d := timeline.Decided{Event: kind, Cluster: 1, Node: 1, NodeHost: "nhid-1"}
		if kind == pb.EventOperationPlanned {
			d.Request = "start-node"
		}
		for range n {
			all = append(all, timeline.Entry{At: 26 * time.Second, Fact: d})
		}
		return all
	}
	for name, c := range map[string]struct {
		planned, dead int
		want          map[string]Verdict
	}{
		"as often as its host was dead": {12, 2, map[string]Verdict{}},
		"once more":                     {13, 2, map[string]Verdict{"requests": Violation}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMade(t) // which has one request
			m.events = append(m.events, decided(pb.EventOperationPlanned, c.planned)...)
			m.events = append(m.events, decided(pb.EventHostDead, c.dead)...)
			require.Equal(t, c.want, findings(m.judge()))
		})
	}
}

func TestCrashesThatNobodyCountedExcuseRepeats(t *testing.T) {
	for name, ended := range map[string]bool{"a fault that ended": true, "one that did not": false} {
		t.Run(name, func(t *testing.T) {
			m := newMade(t)
			if !ended {
				m.events = slices.Delete(m.events, 2, 3)
			}
			for range 20 {
				m.events = append(m.events, m.events[len(m.events)-1])
			}
			_, found := findings(m.judge())["requests"]
			require.Equal(t, ended, found)
		})
	}
}
