// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// cut is what the board's traffic counts of a cut.
var cut = world.Effect{MessagesDropped: 1, BytesHeld: 1, ConnectionsReset: 1}

func TestPartitionIsolatesTheTarget(t *testing.T) {
	effect := strikes(t, "kind: partition, target: nodehost-2", func(t *testing.T, b *board) {
		require.Empty(t, b.reaches("nodehost-2"))
		require.NotContains(t, b.reaches(world.Clients), "nodehost-2")
		require.Len(t, b.reaches("nodehost-1"), 7, "all others and the clients")
	})
	require.Equal(t, cut, effect)
	strikesSimulation(t, "kind: partition, target: nodehost-2")
}

func TestPartitionOfHalvesPutsTheTargetIntoTheSmallerOne(t *testing.T) {
	effect := strikes(t, "kind: partition, target: drummer-3, split: halves", func(t *testing.T, b *board) {
		small, large := b.reaches("drummer-3"), b.reaches("nodehost-1")
		if len(small) > len(large) {
			small, large = large, small
		}
		require.Len(t, small, 4, "three hosts and the clients")
		require.Len(t, large, 4, "eight hosts are two groups of four")
		require.Contains(t, small, world.Clients)
		require.Contains(t, large, world.Clients)
	})
	require.Equal(t, cut, effect)
}

func TestPartitionOfDrummersLeavesBothKindsAmongThemselves(t *testing.T) {
	effect := strikes(t, "kind: partition, target: drummer, split: drummers", func(t *testing.T, b *board) {
		require.Equal(t, []string{"drummer-1", "drummer-3", world.Clients}, b.reaches("drummer-2"))
		require.Equal(t, []string{"nodehost-1", "nodehost-3", "nodehost-4", "nodehost-5", world.Clients}, b.reaches("nodehost-2"))
	})
	require.Equal(t, cut, effect)
	strikesSimulation(t, "kind: partition, target: drummer, split: drummers")
}

func TestPartitionFromPeersLeavesDrummersAndClients(t *testing.T) {
	effect := strikes(t, "kind: partition, target: nodehost-2, split: peers", func(t *testing.T, b *board) {
		require.Equal(t, []string{"drummer-1", "drummer-2", "drummer-3", world.Clients}, b.reaches("nodehost-2"))
	})
	require.Equal(t, cut, effect)
	strikesSimulation(t, "kind: partition, target: nodehost-2, split: peers")
}

func TestPartitionOfClientsOrAgentsLeavesPeers(t *testing.T) {
	strikes(t, "kind: partition, target: nodehost-2, split: clients", func(t *testing.T, b *board) {
		require.Len(t, b.reaches("nodehost-2"), 7)
		require.NotContains(t, b.reaches("nodehost-2"), world.Clients)
	})
	strikes(t, "kind: partition, target: nodehost-2, split: agents", func(t *testing.T, b *board) {
		require.Equal(t, []string{"nodehost-1", "nodehost-3", "nodehost-4", "nodehost-5", world.Clients}, b.reaches("nodehost-2"))
	})
	strikesSimulation(t, "kind: partition, target: cluster-leader of 1, split: clients")
	strikesSimulation(t, "kind: partition, target: nodehost-2, split: agents")
}

// No quorum depends on what a cut between Drummers and NodeHosts strikes; it does
// on the whole group that another one cuts off.
func TestPartitionAsksForTheQuorumOfWhomItCutsOff(t *testing.T) {
	for fault, asked := range map[string]int{
		"kind: partition, target: drummer, split: drummers": 0,
		"kind: partition, target: nodehost":                 1,
		"kind: partition, target: nodehost, split: halves":  4,
	} {
		synctest.Test(t, func(t *testing.T) {
			b, struck := newBoard(), 0
			in := NewInjector(b, &record{start: b.start}, func(hosts, _ []string, _ bool) bool {
				struck = len(hosts)
				return true
			}, nil)
			_, why := in.admit(pending{step: planOf(t, fault+", at: [5s], for: 10s")[0]}, nil)
			require.Empty(t, why)
			require.Equal(t, asked, struck, fault)
		})
	}
}

func TestPartitionRefusesTargetsThatItsSplitIsNotAbout(t *testing.T) {
	for _, f := range []string{"target: nodehost, split: drummers", "target: drummer, split: peers"} {
		_, err := scenarios.Parse("test.yaml", []byte("name: test\nfaults: [{kind: partition, count: 1, for: 10s, "+f+"}]\n"))
		require.ErrorContains(t, err, "faults[0].target")
	}
}
