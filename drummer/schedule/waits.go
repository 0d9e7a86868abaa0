// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/db/ordmap"
)

// Waiting is why a cluster can't be brought forward now.
type Waiting struct {
	ClusterID uint64
	For       string
}

// waits is what the clusters of one state wait for. Many may wait for the same: that
// is kept once, however many they are.
type waits struct {
	state *db.State
	// reasons are those of single clusters.
	reasons map[uint64]string
	// shortages are what clusters lack that are as specified but for where their
	// members live. Nothing else is a reason for those.
	shortages ordmap.Map[uint64, string]
	queues    []queue
	// open are the clusters that are not healthy.
	open ordmap.Map[uint64, none]
}

// queue is clusters that all wait for their turn, but for those that have had it.
type queue struct {
	clusters ordmap.Map[uint64, none]
	had      map[uint64]bool
	reason   string
}

func newWaits(state *db.State) waits { return waits{state: state, reasons: map[uint64]string{}} }

// note records a reason, unless the cluster has one.
func (w *waits) note(clusterID uint64, format string, args ...any) {
	if w.of(clusterID) == "" {
		w.reasons[clusterID] = fmt.Sprintf(format, args...)
	}
}

// enqueue records the reason of all clusters of a set that have none, but for some.
func (w *waits) enqueue(clusters ordmap.Map[uint64, none], had map[uint64]bool, reason string) {
	w.queues = append(w.queues, queue{clusters, had, reason})
}

// of is what a cluster waits for; "": nothing.
func (w *waits) of(clusterID uint64) string {
	if reason, ok := w.reasons[clusterID]; ok {
		return reason
	}
	if shortage, ok := w.shortages.Get(clusterID); ok {
		return shortage
	}
	for _, q := range w.queues {
		if _, queued := q.clusters.Get(clusterID); queued && !q.had[clusterID] {
			return q.reason
		}
	}
	if c := w.state.Clusters.At(clusterID); !w.state.Launched && c != nil && c.Spec != nil {
		return "the launch"
	}
	return ""
}

// candidates are the clusters that may wait for something, in order: all but healthy
// ones that lack nothing.
func (w *waits) candidates() []uint64 {
	var ids []uint64
	for id := range w.open.All() {
		ids = append(ids, id)
	}
	for id := range w.reasons {
		ids = append(ids, id)
	}
	for id := range w.shortages.All() {
		ids = append(ids, id)
	}
	for _, q := range w.queues {
		for id := range q.clusters.All() {
			ids = append(ids, id)
		}
	}
	if !w.state.Launched {
		for id := range w.state.Clusters.All() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// all lists what clusters wait for, by ClusterID.
func (w *waits) all() []Waiting {
	var all []Waiting
	for _, id := range w.candidates() {
		if reason := w.of(id); reason != "" {
			all = append(all, Waiting{ClusterID: id, For: reason})
		}
	}
	return all
}
