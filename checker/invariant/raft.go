// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"
	"slices"
)

// LogAgreement: committed entries at one index of a cluster are the same on
// every replica (log matching of Raft). Every cluster of more than one member
// needs as many replicas as it has members, each of which shares an entry with
// another one.
func LogAgreement(f *Facts) Finding {
	j := judgement{name: NameLog}
	first := make(map[[2]uint64]Entry)
	sharing := make(map[uint64]map[uint64]bool) // cluster, nodes
	compared := 0
	for _, e := range f.Entries {
		at := [2]uint64{e.Cluster, e.Index}
		o, ok := first[at]
		if !ok {
			first[at] = e
			continue
		}
		if o.Node != e.Node {
			compared++
			nodes := inner(sharing, e.Cluster)
			nodes[o.Node], nodes[e.Node] = true, true
		}
		if o.Term != e.Term || o.Sum != e.Sum {
			j.violation("cluster %d index %d: node %d has %s, node %d has %s", e.Cluster, e.Index, o.Node, o.tell(), e.Node, e.tell())
		}
	}
	if j.needClusters(f) {
		logsCompared(&j, f, sharing)
	}
	return j.finding("%d entries agree between replicas", compared)
}

// logsCompared says which logs were not compared.
func logsCompared(j *judgement, f *Facts, sharing map[uint64]map[uint64]bool) {
	if f.Entries == nil {
		j.inconclusive("no committed entry was recorded")
		return
	}
	for _, c := range f.Clusters {
		if n := len(sharing[c.Cluster]); c.Size > 1 && n < c.Size {
			j.inconclusive("cluster %d: committed entries that two replicas share were recorded of %d of %d replicas", c.Cluster, n, c.Size)
		}
	}
	if len(sharing) == 0 && len(j.unclear) == 0 {
		j.inconclusive("no cluster has two replicas to compare")
	}
}

func (e Entry) tell() string {
	s := fmt.Sprintf("an entry of term %d, digest %s", e.Term, e.Sum)
	if e.Decoded != "" {
		s += ": " + e.Decoded
	}
	return s
}

// LeaderPerTerm: a cluster has at most one leader in a term (election safety
// of Raft). Every cluster needs a leader that was recorded.
func LeaderPerTerm(f *Facts) Finding {
	j := judgement{name: NameLeaders}
	leaders := slices.Clone(f.Leaders)
	slices.SortStableFunc(leaders, func(a, b Leader) int { return cmp.Compare(a.At, b.At) })
	first := make(map[[2]uint64]Leader)
	led := make(map[uint64]bool)
	for _, l := range leaders {
		led[l.Cluster] = true
		at := [2]uint64{l.Cluster, l.Term}
		if o, ok := first[at]; !ok {
			first[at] = l
		} else if o.Node != l.Node {
			j.violation("cluster %d has two leaders in term %d: node %d at %s and node %d at %s",
				l.Cluster, l.Term, o.Node, seconds(o.At), l.Node, seconds(l.At))
		}
	}
	if j.needClusters(f) {
		for _, c := range f.Clusters {
			if !led[c.Cluster] {
				j.inconclusive("no leader of cluster %d was recorded", c.Cluster)
			}
		}
	}
	return j.finding("%d terms of %d clusters had one leader each", len(first), len(led))
}
