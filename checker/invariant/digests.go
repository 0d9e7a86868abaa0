// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:          "digests",
	Name:         "replica digests",
	Doc:          "After healing all replicas of a cluster hold the same state at the same index.",
	Needs:        []Need{needClusters, needDigests},
	AfterHealing: true,
	Applies:      func(f *Facts) bool { return replicated(f) && !f.Undigested }, // one replica agrees with itself
}, judgeDigests)

// judgeDigests asks every cluster of more than one member for digests of as many
// replicas as it has members, all at one index.
func judgeDigests(j *judgement, f *Facts, _ *noSettings) string {
	at := make(map[uint64]map[uint64]map[uint64]Digest) // by cluster, index, node
	for _, d := range f.Digests {
		indexes := inner(at, d.Cluster)
		inner(indexes, d.Index)[d.Node] = d
	}
	compared, clusters := 0, 0
	for _, c := range f.Clusters {
		if c.Size <= 1 {
			continue
		}
		index, nodes := mostShared(at[c.Cluster])
		for _, i := range sortedKeys(at[c.Cluster]) {
			if difference := differ(at[c.Cluster][i]); difference != "" {
				j.violation("cluster %d at index %d: %s", c.Cluster, i, difference)
				break
			}
		}
		switch {
		case nodes == 0:
			j.inconclusive("cluster %d gave no digest", c.Cluster)
		case nodes < c.Size:
			j.inconclusive("cluster %d: only %d of %d replicas gave a digest at one index, %d", c.Cluster, nodes, c.Size, index)
		default:
			compared, clusters = compared+nodes, clusters+1
		}
	}
	return fmt.Sprintf("%d replicas of %d clusters hold equal states at equal indexes", compared, clusters)
}

// mostShared returns the last index that the most nodes share, and how many.
func mostShared(at map[uint64]map[uint64]Digest) (index uint64, nodes int) {
	for _, i := range sortedKeys(at) {
		if n := len(at[i]); n >= nodes {
			index, nodes = i, n
		}
	}
	return index, nodes
}

// differ says which of the digests at one index differ; empty: none.
func differ(at map[uint64]Digest) string {
	nodes := sortedKeys(at)
	first := at[nodes[0]]
	for _, node := range nodes[1:] {
		if d := at[node]; d.Sum != first.Sum {
			return fmt.Sprintf("nodes %d (%s) and %d (%s) differ, digests %s and %s", first.Node, first.Host, d.Node, d.Host, first.Sum, d.Sum)
		}
	}
	return ""
}
