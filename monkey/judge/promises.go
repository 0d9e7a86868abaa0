// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"slices"
	"strings"
	"time"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// restartedWithoutLog counts the nodes that ran, and ran again under the same
// NodeID on the same host after it had lost its disk. That a node runs is seen
// by what it announces of its leader.
func (r *Recording) restartedWithoutLog() int {
	type node struct {
		host          string
		cluster, node uint64
	}
	first, again := map[node]time.Duration{}, map[node]bool{}
	wipes := r.wipes()
	timeline.All(r.Timeline, func(at time.Duration, l timeline.LeaderAnnounced) {
		n := node{l.Host, l.Cluster, l.Node}
		ran, known := first[n]
		if !known {
			first[n] = at
			return
		}
		if slices.ContainsFunc(wipes[l.Host], func(wiped time.Duration) bool { return ran < wiped && wiped < at }) {
			again[n] = true
		}
	})
	return len(again)
}

// wipes lists, by host, when it lost its disk.
func (r *Recording) wipes() map[string][]time.Duration {
	all := map[string][]time.Duration{}
	for _, i := range r.Timeline.Began() {
		if kind, _ := scenarios.FaultKindOf(i.Fault); kind.Needs == scenarios.CanWipe {
			for _, h := range i.Hosts {
				all[h] = append(all[h], i.From)
			}
		}
	}
	return all
}

// interruptedRepairs counts the replacements in which a Drummer server went down
// between the addition of the new member and the full strength of the cluster.
func (r *Recording) interruptedRepairs() int {
	var downs []time.Duration
	for _, i := range r.Timeline.Began() {
		if kind, _ := scenarios.FaultKindOf(i.Fault); kind.Down && strings.HasPrefix(i.Target, string(world.Drummer)) {
			downs = append(downs, i.From)
		}
	}
	interrupted := 0
	began := map[uint64]time.Duration{} // by cluster: when the first observer was added since it was full
	for _, e := range r.Timeline.Entries {
		switch f := e.Fact.(type) {
		case timeline.Decided:
			if _, ok := began[f.Cluster]; !ok && addsObserver(f) {
				began[f.Cluster] = e.At
			}
		case timeline.ClusterRepaired:
			from, ok := began[f.Cluster]
			delete(began, f.Cluster)
			if ok && f.How == timeline.Replaced && slices.ContainsFunc(downs, func(at time.Duration) bool { return from <= at && at <= e.At }) {
				interrupted++
			}
		}
	}
	return interrupted
}

// addsObserver reports whether Drummer decided to add a member, as observer.
func addsObserver(d timeline.Decided) bool {
	return d.Event == pb.EventOperationPlanned && d.Request == timeline.RequestName(pb.RequestKind_ADD_OBSERVER)
}
