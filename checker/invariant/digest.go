// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"
	"slices"
)

// Digests: replicas of a cluster that applied the same entries hold the same
// state. Every cluster of more than one member needs final digests of as many
// replicas as it has members, all at one index.
func Digests(f *Facts) Finding {
	var finals []Digest
	for _, d := range f.Digests {
		if d.Final {
			finals = append(finals, d)
		}
	}
	j := judgement{name: NameDigests}
	compared, clusters := compareDigests(&j, f, finals, "final digest")
	return j.finding("%d replicas of %d clusters hold equal states at equal indexes", compared, clusters)
}

// DivergencePoint tells where replicas diverged. It asks for the same as
// Digests, but takes digests of any time.
func DivergencePoint(f *Facts) Finding {
	j := judgement{name: NameDivergence}
	compared, clusters := compareDigests(&j, f, f.Digests, "digest")
	return j.finding("%d replicas of %d clusters did not diverge", compared, clusters)
}

// compareDigests looks for differences in all digests, and for an index of each
// cluster at which the given ones are enough. It returns how many replicas of
// how many clusters were compared.
func compareDigests(j *judgement, f *Facts, enough []Digest, what string) (compared, clusters int) {
	for _, d := range Divergences(f.Digests) {
		j.violation("%s", d)
	}
	if !j.needClusters(f) {
		return 0, 0
	}
	if f.Digests == nil {
		j.inconclusive("no digest was recorded")
		return 0, 0
	}
	at := make(map[uint64]map[uint64]map[uint64]bool) // cluster, index, nodes
	for _, d := range enough {
		indexes := inner(at, d.Cluster)
		inner(indexes, d.Index)[d.Node] = true
	}
	for _, c := range f.Clusters {
		if c.Size <= 1 {
			continue // one replica agrees with itself
		}
		index, nodes := mostShared(at[c.Cluster])
		switch {
		case nodes == 0:
			j.inconclusive("cluster %d gave no %s", c.Cluster, what)
		case nodes < c.Size:
			j.inconclusive("cluster %d: only %d of %d replicas gave a %s at one index, %d", c.Cluster, nodes, c.Size, what, index)
		default:
			compared, clusters = compared+nodes, clusters+1
		}
	}
	if compared == 0 && len(j.unclear) == 0 {
		j.inconclusive("no cluster has two replicas to compare")
	}
	return compared, clusters
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

// Divergence is the first index at which two replicas of a cluster differ.
type Divergence struct {
	Cluster uint64
	Index   uint64
	A, B    Digest
	// Agreed is the last index before at which both gave a digest and agreed;
	// 0 if there is none.
	Agreed uint64
}

// String tells it as a sentence.
func (d Divergence) String() string {
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

// Divergences returns for every cluster whose replicas differ the first index
// at which two do, by cluster.
func Divergences(digests []Digest) []Divergence {
	sorted := slices.Clone(digests)
	slices.SortStableFunc(sorted, func(a, b Digest) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Index, b.Index))
	})
	var found []Divergence
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
				found = append(found, Divergence{d.Cluster, d.Index, sorted[k], d, agreed[pair]})
				break
			}
			agreed[pair] = d.Index
		}
	}
	return found
}
