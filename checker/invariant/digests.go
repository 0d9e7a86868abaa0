// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"
	"slices"
)

var _ = define(Check{
	Key:          "digests",
	Name:         "replica digests",
	Doc:          "Replicas of a cluster that applied the same entries hold the same state; where they differ, the first index and its entry are named.",
	Needs:        []Need{needClusters, needDigests},
	AfterHealing: true,
	Applies: func(f *Facts) bool { // one replica agrees with itself
		return len(f.Clusters) == 0 || slices.ContainsFunc(f.Clusters, func(c Cluster) bool { return c.Size > 1 })
	},
}, judgeDigests)

// judgeDigests asks every cluster of more than one member for final digests of
// as many replicas as it has members, all at one index. Digests of any time are
// compared, so that the first index is found at which two replicas differ.
func judgeDigests(j *judgement, f *Facts, _ *noSettings) string {
	for _, d := range divergences(f.Digests) {
		j.violation("%s", d)
	}
	at := make(map[uint64]map[uint64]map[uint64]bool) // cluster, index, nodes
	for _, d := range f.Digests {
		if d.Final {
			inner(inner(at, d.Cluster), d.Index)[d.Node] = true
		}
	}
	compared, clusters := 0, 0
	for _, c := range f.Clusters {
		if c.Size <= 1 {
			continue
		}
		index, nodes := mostShared(at[c.Cluster])
		switch {
		case nodes == 0:
			j.inconclusive("cluster %d gave no final digest", c.Cluster)
		case nodes < c.Size:
			j.inconclusive("cluster %d: only %d of %d replicas gave a final digest at one index, %d", c.Cluster, nodes, c.Size, index)
		default:
			compared, clusters = compared+nodes, clusters+1
		}
	}
	return fmt.Sprintf("%d replicas of %d clusters hold equal states at equal indexes", compared, clusters)
}

// mostShared returns the last index that the most nodes share, and how many.
func mostShared(at map[uint64]map[uint64]bool) (index uint64, nodes int) {
	for _, i := range sortedKeys(at) {
		if n := len(at[i]); n >= nodes {
			index, nodes = i, n
		}
	}
	return index, nodes
}

// divergence is the first index at which two replicas of a cluster differ.
type divergence struct {
	Cluster uint64
	Index   uint64
	A, B    Digest
	// Agreed is the last index before at which both gave a digest and agreed;
	// 0 if there is none.
	Agreed uint64
}

func (d divergence) String() string {
	entry := d.A.Entry
	if entry == "" {
		entry = d.B.Entry
	}
	if entry != "" {
		entry = fmt.Sprintf("; the entry there is %s", entry)
	}
	if d.A.Entry != "" && d.B.Entry != "" && d.A.Entry != d.B.Entry {
		entry = fmt.Sprintf("; the entries there are %s and %s", d.A.Entry, d.B.Entry)
	}
	agreed := "no digest before was shared"
	if d.Agreed > 0 {
		agreed = fmt.Sprintf("they agreed at index %d", d.Agreed)
	}
	return fmt.Sprintf("cluster %d: nodes %d (%s) and %d (%s) differ at index %d, digests %s and %s; %s%s",
		d.Cluster, d.A.Node, d.A.Host, d.B.Node, d.B.Host, d.Index, d.A.Sum, d.B.Sum, agreed, entry)
}

// divergences returns for every cluster whose replicas differ the first index
// at which two do, by cluster.
func divergences(digests []Digest) []divergence {
	sorted := slices.Clone(digests)
	slices.SortStableFunc(sorted, func(a, b Digest) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Index, b.Index))
	})
	var found []divergence
	agreed := make(map[[2]uint64]uint64) // by two nodes of the cluster
	for i, d := range sorted {
		if i > 0 && sorted[i-1].Cluster != d.Cluster {
			clear(agreed)
		}
		if n := len(found); n > 0 && found[n-1].Cluster == d.Cluster {
			continue
		}
		for k := i - 1; k >= 0 && sorted[k].Cluster == d.Cluster && sorted[k].Index == d.Index; k-- {
			pair := [2]uint64{min(d.Node, sorted[k].Node), max(d.Node, sorted[k].Node)}
			if sorted[k].Sum != d.Sum {
				found = append(found, divergence{d.Cluster, d.Index, sorted[k], d, agreed[pair]})
				break
			}
			agreed[pair] = d.Index
		}
	}
	return found
}
