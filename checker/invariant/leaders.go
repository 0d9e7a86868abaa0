// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"
	"slices"
)

var _ = define(Check{
	Key:   "leaders",
	Name:  "one leader a term",
	Doc:   "A cluster has at most one leader in a term (election safety of Raft), by what nodes announce of themselves.",
	Needs: []Need{needClusters, needLeaders},
}, judgeLeaders)

// judgeLeaders asks that a leader of every cluster was recorded.
func judgeLeaders(j *judgement, f *Facts, _ *noSettings) string {
	leaders := slices.Clone(f.Leaders)
	slices.SortStableFunc(leaders, func(a, b Leader) int { return cmp.Compare(a.At, b.At) })
	type term struct {
		cluster, term uint64
		life          int
	}
	first := make(map[term]Leader)
	led := make(map[uint64]bool)
	for _, l := range leaders {
		led[l.Cluster] = true
		at := term{cluster: l.Cluster, term: l.Term}
		for _, begun := range f.Begun[l.Cluster] {
			if begun <= l.At {
				at.life++
			}
		}
		if o, ok := first[at]; !ok {
			first[at] = l
		} else if o.Node != l.Node {
			j.violation("cluster %d has two leaders in term %d: node %d at %s and node %d at %s",
				l.Cluster, l.Term, o.Node, seconds(o.At), l.Node, seconds(l.At))
		}
	}
	for _, c := range f.Clusters {
		if !led[c.Cluster] {
			j.inconclusive("no leader of cluster %d was recorded", c.Cluster)
		}
	}
	return fmt.Sprintf("%d terms of %d clusters had one leader each", len(first), len(led))
}
