// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// seen makes a look at hosts on which these nodes run.
func seen(hosts map[string][]world.Node) truth {
	tr := truth{clusters: map[uint64]*clusterTruth{}, hosts: map[string]world.Inspection{}}
	for host, nodes := range hosts {
		tr.hosts[host] = world.Inspection{Host: host, Nodes: nodes}
		for _, n := range nodes {
			tr.add(host, n)
		}
	}
	return tr
}

func TestClustersThatChangeBetweenTwoLooksAreNoted(t *testing.T) {
	node := func(cluster, node, ccid uint64) world.Node {
		return world.Node{ClusterID: cluster, NodeID: node, ConfigID: ccid, Ready: true}
	}
	leads := node(1, 1, 5)
	leads.IsLeader = true
	before := seen(map[string][]world.Node{"a": {node(1, 1, 5), node(2, 1, 5), node(3, 1, 5)}, "b": {node(1, 2, 5), node(4, 2, 5)}, "c": {node(5, 1, 5)}})
	for name, c := range map[string]struct {
		after map[string][]world.Node
		want  []uint64
	}{
		"nothing but a leader":  {map[string][]world.Node{"a": {leads, node(2, 1, 5), node(3, 1, 5)}, "b": {node(1, 2, 5), node(4, 2, 5)}, "c": {node(5, 1, 5)}}, nil},
		"a member of one moved": {map[string][]world.Node{"a": {node(1, 1, 7), node(2, 1, 5), node(3, 1, 5)}, "b": {node(4, 2, 5)}, "c": {node(5, 1, 5), node(1, 3, 7)}}, []uint64{1}},
		"only the membership":   {map[string][]world.Node{"a": {node(1, 1, 5), node(2, 1, 6), node(3, 1, 5)}, "b": {node(1, 2, 5), node(4, 2, 5)}, "c": {node(5, 1, 5)}}, []uint64{2}},
		"a host died":           {map[string][]world.Node{"a": {node(1, 1, 5), node(2, 1, 5), node(3, 1, 5)}, "b": {node(1, 2, 5), node(4, 2, 5)}}, []uint64{5}},
		"a cluster is new":      {map[string][]world.Node{"a": {node(1, 1, 5), node(2, 1, 5), node(3, 1, 5)}, "b": {node(1, 2, 5), node(4, 2, 5), node(9, 1, 1)}, "c": {node(5, 1, 5)}}, []uint64{9}},
		"all at once":           {map[string][]world.Node{}, []uint64{1, 2, 3, 4, 5}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, changed(before, seen(c.after))) })
	}
}
