// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

type staleSettings struct{}

var _ = define(Check{
	Key:     "stale",
	Name:    "stale reads",
	Doc:     "What a replica answers goes forward as long as its process runs, and a stale read sees no write that was not called yet.",
	Needs:   []Need{needHistory},
	Applies: func(f *Facts) bool { return f.StaleReads },
}, judgeStale)

// replicaID is a Raft node on a host.
type replicaID struct {
	cluster uint64
	host    string
	node    uint64
}

// judgeStale looks at each stale read by itself, and at all answers of a replica in
// their order: an answer that was called after another one had returned is of the same
// index or a later one, unless the replica was started in between. It may have begun
// anew then, from its last snapshot.
func judgeStale(j *judgement, f *Facts, _ *staleSettings) string {
	called := map[string]int64{}
	answers := map[replicaID][]*history.Op{}
	reads := 0
	for i := range f.Ops {
		op := &f.Ops[i]
		if op.Writer != "" && op.Kind.Mutates() {
			called[op.Writer] = op.Call
		}
		if op.By != nil && op.By.Applied != 0 && op.By.Node != 0 && op.Outcome != history.Unknown {
			host, _, _ := strings.Cut(op.By.Host, ":")
			id := replicaID{op.Cluster, host, op.By.Node}
			answers[id] = append(answers[id], op)
		}
	}
	for i := range f.Ops {
		op := &f.Ops[i]
		if op.Kind != history.Stale || op.Outcome != history.OK {
			continue
		}
		reads++
		if op.ObservedWriter == history.InitialWriter || op.ObservedWriter == "" {
			continue
		}
		switch at, known := called[op.ObservedWriter]; {
		case !known:
			j.violation("cluster %d: %s answered a stale read of %s with write %s, which nobody made", op.Cluster, op.By.Host, op.Key, op.ObservedWriter)
		case at > op.Return:
			j.violation("cluster %d: %s answered a stale read of %s at %s with write %s, which was called at %s only",
				op.Cluster, op.By.Host, op.Key, seconds(op.Return), op.ObservedWriter, seconds(at))
		}
	}
	for id, ops := range answers {
		j.forward(f, id, ops)
	}
	if reads == 0 {
		j.inconclusive("no stale read was answered")
	}
	return fmt.Sprintf("%d stale reads; %d replicas went forward", reads, len(answers))
}

// forward judges the answers of a replica.
func (j *judgement) forward(f *Facts, id replicaID, ops []*history.Op) {
	slices.SortFunc(ops, func(a, b *history.Op) int { return cmp.Compare(a.Call, b.Call) })
	byReturn := slices.Clone(ops)
	slices.SortFunc(byReturn, func(a, b *history.Op) int { return cmp.Compare(a.Return, b.Return) })
	var newest *history.Op // of those that had returned
	next := 0
	for _, op := range ops {
		for ; next < len(byReturn) && byReturn[next].Return < op.Call; next++ {
			if newest == nil || byReturn[next].By.Applied >= newest.By.Applied || f.startedBetween(id, newest.Return, byReturn[next].Return) {
				newest = byReturn[next]
			}
		}
		if newest == nil || op.By.Applied >= newest.By.Applied || f.startedBetween(id, newest.Call, op.Return) {
			continue
		}
		j.violation("cluster %d: node %d on %s answered %s at applied index %d at %s, and %s at applied index %d at %s, which was called later",
			id.cluster, id.node, id.host, newest.Kind, newest.By.Applied, seconds(newest.Return), op.Kind, op.By.Applied, seconds(op.Return))
		return
	}
}

// startedBetween reports whether a replica may have been started between two times.
func (f *Facts) startedBetween(id replicaID, from, to int64) bool {
	return slices.ContainsFunc(f.Starts, func(s Start) bool {
		return s.From <= to && s.To >= from && (s.Host == id.host || s.Cluster == id.cluster && id.cluster != 0)
	})
}
