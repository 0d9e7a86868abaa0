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
// between the addition of a new member and the full strength of the cluster.
func (r *Recording) interruptedRepairs() int {
	var downs []time.Duration
	for _, i := range r.Timeline.Began() {
		if kind, _ := scenarios.FaultKindOf(i.Fault); kind.Down && strings.HasPrefix(i.Target, string(world.Drummer)) {
			downs = append(downs, i.From)
		}
	}
	interrupted := 0
	for _, x := range r.replacements() {
		if len(x.added) > 0 && slices.ContainsFunc(downs, func(at time.Duration) bool { return x.added[0] <= at && at <= x.full }) {
			interrupted++
		}
	}
	return interrupted
}

// replacement is a repair by which a cluster got another member.
type replacement struct {
	cluster uint64
	// added are the times at which Drummer decided to add a member, since the
	// repair before; more than one when the first attempts failed.
	added []time.Duration
	full  time.Duration // when the cluster had its full number of running voters
}

// heardWithin is how late a decision of Drummer is heard of at most, while
// Drummer answers. A replacement may be over by then.
const heardWithin = 500 * time.Millisecond

// replacements lists the replacements, by the time at which each was complete.
func (r *Recording) replacements() []replacement {
	heard := map[uint64][]time.Duration{} // of additions, by cluster
	timeline.All(r.Timeline, func(at time.Duration, d timeline.Decided) {
		if d.Event == pb.EventOperationPlanned && d.Request == timeline.RequestName(pb.RequestKind_ADD_OBSERVER) {
			heard[d.Cluster] = append(heard[d.Cluster], at)
		}
	})
	var all []replacement
	timeline.All(r.Timeline, func(at time.Duration, f timeline.ClusterRepaired) {
		x := replacement{cluster: f.Cluster, full: at}
		for len(heard[f.Cluster]) > 0 && heard[f.Cluster][0] <= at+heardWithin {
			x.added = append(x.added, min(heard[f.Cluster][0]-heardWithin, at))
			heard[f.Cluster] = heard[f.Cluster][1:]
		}
		if f.How == timeline.Replaced {
			all = append(all, x)
		}
	})
	return all
}
