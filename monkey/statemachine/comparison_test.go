// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

func putOf(key, value string) []byte {
	return kv.Command{Op: kv.Put, Key: key, Value: kv.Some(value), Writer: "w-" + value}.Encode()
}

// replicas makes cores of one cluster that are compared, and what was found.
func replicas(n int) ([]Core, *Comparison) {
	c := NewComparison()
	var all []Core
	for node := range n {
		all = append(all, c.Watch(Correct)(7, uint64(node+1)))
	}
	return all, c
}

func TestReplicasThatApplyTheSameDoNotDiverge(t *testing.T) {
	all, c := replicas(3)
	for i := range uint64(50) { // one is behind, one catches up by a snapshot
		all[0].Apply(10+2*i, putOf("k", fmt.Sprint(i)))
	}
	for i := range uint64(20) {
		all[1].Apply(10+2*i, putOf("k", fmt.Sprint(i)))
	}
	all[2].Restore(all[1].Image())
	for i := uint64(20); i < 50; i++ {
		all[2].Apply(10+2*i, putOf("k", fmt.Sprint(i)))
	}
	require.Empty(t, c.TakeDivergences())
}

func TestTheFirstIndexIsFoundAtWhichReplicasDiffer(t *testing.T) {
	all, c := replicas(3)
	for i := range uint64(10) {
		for n, core := range all {
			value := fmt.Sprint(i)
			if n == 1 && i == 6 {
				value = "something else"
			}
			core.Apply(10+i, putOf("k", value))
		}
	}
	found := c.TakeDivergences()
	require.Len(t, found, 1, "once a cluster")
	d := found[0]
	require.EqualValues(t, 7, d.Cluster)
	require.EqualValues(t, []uint64{1, 2}, []uint64{d.A.Node, d.B.Node})
	require.EqualValues(t, []uint64{16, 16, 15}, []uint64{d.A.Digest.Applied, d.B.Digest.Applied, d.Agreed})
	require.Equal(t, "put of k by w-something else", d.Entry)
}

// An entry that is applied again after a restart must give the same again.
func TestAReplicaIsComparedWithItself(t *testing.T) {
	all, c := replicas(1)
	all[0].Apply(10, putOf("k", "a"))
	c.Watch(Correct)(7, 1).Apply(10, putOf("k", "a"))
	require.Empty(t, c.TakeDivergences())
	require.EqualValues(t, 1, c.Updates())
	c.Watch(Correct)(7, 1).Apply(10, putOf("k", "b"))
	require.Len(t, c.TakeDivergences(), 1)
}

func TestASnapshotThatLacksSomethingIsADivergence(t *testing.T) {
	all, c := replicas(2)
	all[0].Apply(10, putOf("k", "a"))
	all[0].Apply(11, putOf("l", "b"))
	all[1].Restore(all[0].Image().Without("l"))
	all[1].Apply(12, putOf("k", "c"))
	all[0].Apply(12, putOf("k", "c"))
	found := c.TakeDivergences()
	require.Len(t, found, 1)
	require.EqualValues(t, 11, found[0].B.Digest.Applied)
	require.Equal(t, "restored by node 2 from a snapshot", found[0].Entry)
}

func TestAComparisonForgetsWhatIsOld(t *testing.T) {
	all, c := replicas(2)
	for i := range uint64(2 * maxSamples) {
		all[0].Apply(1+i, putOf("k", "a"))
	}
	samples := c.clusters[7].samples
	require.LessOrEqual(t, len(samples), maxSamples)
	all[1].Apply(1, putOf("k", "something else"))
	require.Empty(t, c.TakeDivergences(), "too old to be compared")
}
