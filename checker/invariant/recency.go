// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

var _ = define(Check{
	Key:   "recency",
	Name:  "no answer from the past",
	Doc:   "Who is asked after an operation of the same cluster was answered sees a state that is no older, and carries out a write behind it, by the indexes that answers name, whatever keys they are about: more than linearizability asks of each key by itself.",
	Needs: []Need{needHistory},
	Applies: func(f *Facts) bool { // a client of one's own may not say who answers
		return ofKeys(f) && (len(f.Ops) == 0 || slices.ContainsFunc(f.Ops, func(o history.Op) bool { return o.By != nil }))
	},
}, judgeRecency)

// judgeRecency goes through the operations of each cluster in the order in which they
// were called, along with the newest state that anyone had been answered with by then.
func judgeRecency(j *judgement, f *Facts, _ *noSettings) string {
	clusters := make(map[uint64][]*history.Op)
	total := 0
	for i := range f.Ops {
		if o := &f.Ops[i]; namesState(*o) {
			clusters[o.Cluster] = append(clusters[o.Cluster], o)
			total++
		}
	}
	for _, cluster := range sortedKeys(clusters) {
		called := clusters[cluster]
		slices.SortStableFunc(called, func(a, b *history.Op) int { return cmp.Compare(a.Call, b.Call) })
		returned := slices.SortedStableFunc(slices.Values(called), func(a, b *history.Op) int { return cmp.Compare(a.Return, b.Return) })
		var newest *history.Op
		for _, o := range called {
			for len(returned) > 0 && returned[0].Return < o.Call {
				if newest == nil || returned[0].By.Applied > newest.By.Applied {
					newest = returned[0]
				}
				returned = returned[1:]
			}
			if newest == nil {
				continue
			}
			if seen := o.By.Applied; seen < newest.By.Applied || o.Kind != history.Get && seen == newest.By.Applied {
				j.violation("cluster %d: client %d's %s of key %s, called at %s and answered by host %s, saw the state after update %d, though client %d had been answered by host %s out of the state after update %d at %s",
					cluster, o.Client, o.Kind, o.Key, seconds(o.Call), o.By.Host, seen, newest.Client, newest.By.Host, newest.By.Applied, seconds(newest.Return))
				break // what follows is its consequence
			}
		}
	}
	if total == 0 {
		j.inconclusive("no answer names the state that it comes from")
	}
	return fmt.Sprintf("%d answers of %d clusters came from states no older than any before them", total, len(clusters))
}

// namesState reports whether an operation was answered by a replica that says how far
// its state machine had come, and that may not be far behind.
func namesState(o history.Op) bool {
	return o.Kind != history.Stale && o.By != nil && o.By.Applied != 0 && o.Cluster != 0 && (o.Outcome == history.OK || o.Kind == history.Cas && o.Outcome == history.Fail)
}
