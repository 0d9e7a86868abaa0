// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"
	"slices"
)

// Digests: replicas of a cluster that applied the same entries hold the same
// state. Every cluster needs final digests of at least two replicas at one
// index, and of all its replicas that gave a final one.
func Digests(f *Facts) Finding {
	j := judgement{name: NameDigests}
	if len(f.Digests) == 0 {
		j.inconclusive("no digest was recorded")
	}
	finals := make(map[uint64]map[uint64][]Digest) // cluster, index
	for _, d := range f.Digests {
		if !d.Final {
			continue
		}
		if finals[d.Cluster] == nil {
			finals[d.Cluster] = make(map[uint64][]Digest)
		}
		finals[d.Cluster][d.Index] = append(finals[d.Cluster][d.Index], d)
	}
	for _, c := range f.Clusters {
		if len(finals[c.Cluster]) == 0 && c.Size > 1 && len(f.Digests) > 0 {
			j.inconclusive("cluster %d gave no final digest", c.Cluster)
		}
	}
	compared := 0
	for _, cluster := range sortedKeys(finals) {
		compared += compareFinals(&j, cluster, finals[cluster])
	}
	for _, d := range Divergences(f.Digests) {
		j.violation("%s", d)
	}
	return j.finding("%d replicas of %d clusters hold equal states at equal indexes", compared, len(finals))
}

func compareFinals(j *judgement, cluster uint64, at map[uint64][]Digest) (compared int) {
	replicas := 0
	for _, index := range sortedKeys(at) {
		same := at[index]
		replicas += len(same)
		if len(same) > 1 {
			compared += len(same)
		}
	}
	if compared < replicas || replicas < 2 {
		j.inconclusive("cluster %d: only %d of %d replicas gave a final digest at an index that another one shares", cluster, compared, replicas)
	}
	return compared
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

// DivergencePoint tells where replicas diverged. It passes on any two digests
// at a shared index that are equal.
func DivergencePoint(f *Facts) Finding {
	j := judgement{name: NameDivergence}
	shared := make(map[[2]uint64]int)
	pairs := 0
	for _, d := range f.Digests {
		at := [2]uint64{d.Cluster, d.Index}
		pairs += shared[at]
		shared[at]++
	}
	if pairs == 0 {
		j.inconclusive("no two replicas gave a digest at the same index")
	}
	for _, d := range Divergences(f.Digests) {
		j.violation("%s", d)
	}
	return j.finding("%d pairs of digests at shared indexes are equal", pairs)
}
