// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/lni/dragonboat/v3/config"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func parse(t *testing.T, source string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Parse("test.yaml", []byte("name: test\n"+source))
	require.NoError(t, err)
	return s
}

// notOfScenarios are Dragonboat's options that a scenario does not give as such.
var notOfScenarios = map[string]string{
	"NodeID": "", "ClusterID": "", // they name the node
	"IsObserver": "clusters.observers", "IsWitness": "clusters.witnesses",
	"DisableAutoCompactions": "the disks of a simulation are small",
}

// An option of Dragonboat that a scenario says nothing of would be one that no
// swarm draws.
func TestEveryOptionOfDragonboatIsASetting(t *testing.T) {
	changed := map[string]bool{}
	before := reflect.ValueOf(raftConfig(&parse(t, "").Clusters))
	for _, setting := range []string{"election_rtt: 33", "heartbeat_rtt: 3", "snapshot_entries: 7", "compaction_overhead: 9", "check_quorum: false",
		"quiesce: true", "max_in_mem_log_size: 5000", "entry_compression: snappy", "snapshot_compression: snappy"} {
		source := "clusters: {" + setting + "}\n"
		after := reflect.ValueOf(raftConfig(&parse(t, source).Clusters))
		changes := 0
		for i := range after.NumField() {
			if !after.Field(i).Equal(before.Field(i)) {
				changed[after.Type().Field(i).Name] = true
				changes++
			}
		}
		require.Equal(t, 1, changes, setting)

		// Drummer's specification says the same.
		plain, spec := newWanted(parse(t, ""), noApplication).spec(1).GetRaft(), newWanted(parse(t, source), noApplication).spec(1).GetRaft()
		require.False(t, proto.Equal(plain, spec), setting)
	}
	changed["OrderedConfigChange"] = !raftConfig(&parse(t, "deployment: {drummers: 0}\nclusters: {ordered_config_change: false}\n").Clusters).OrderedConfigChange
	options := reflect.TypeFor[config.Config]()
	for i := range options.NumField() {
		name := options.Field(i).Name
		if _, known := notOfScenarios[name]; !known {
			require.True(t, changed[name], "no setting of a scenario changes Dragonboat's %s", name)
		}
	}
}

func TestDrummersSpecificationSaysWhatTheScenarioSays(t *testing.T) {
	spec := newWanted(parse(t, "clusters: {quiesce: true, max_in_mem_log_size: 4096, entry_compression: snappy}\n"), noApplication).spec(1).GetRaft()
	require.True(t, spec.GetQuiesce())
	require.EqualValues(t, 4096, spec.GetMaxInMemLogSize())
	require.Equal(t, pb.Compression_SNAPPY, spec.GetEntryCompression())
	require.Equal(t, pb.Compression_UNCOMPRESSED, spec.GetSnapshotCompression())
}

func TestStaticMembersAreSpreadOverNodeHosts(t *testing.T) {
	s := parse(t, "deployment: {drummers: 0, nodehosts: 5}\nclusters: {count: 5, first: 7, size: 2, observers: 1, witnesses: 1, statemachine: mixed}\n")
	load := map[string]int{}
	for i, c := range staticClusters(s, noApplication) {
		require.EqualValues(t, 7+i, c.ID)
		require.Equal(t, []uint64{1, 2}, slices.Sorted(maps.Keys(c.Voters)))
		require.Equal(t, []uint64{3}, slices.Sorted(maps.Keys(c.Observers)))
		require.Equal(t, []uint64{4}, slices.Sorted(maps.Keys(c.Witnesses)))
		hosts := map[string]bool{}
		for _, members := range []map[uint64]string{c.Voters, c.Observers, c.Witnesses} {
			for _, address := range members {
				hosts[address] = true
				load[address]++
			}
		}
		require.Len(t, hosts, 4, "each member on a host of its own")
	}
	for host := range 5 {
		require.Equal(t, 4, load[fmt.Sprintf("nodehost-%d:1", host+1)])
	}
}

// A witness has a vote, and somebody has to lead.
func TestAMajorityCountsWitnesses(t *testing.T) {
	c := &clusterTruth{voters: map[uint64]string{1: "", 2: ""}, running: map[uint64]string{1: "a", 2: "b", 3: "c"},
		witnesses: map[uint64]string{3: "c"}}
	require.True(t, c.majority(1))
	require.True(t, c.majority(1, "a"))
	require.True(t, c.majority(1, "c"))
	require.False(t, c.majority(1, "a", "c"))
	require.False(t, c.majority(1, "a", "b"))
	c.witnesses = map[uint64]string{}
	require.True(t, c.majority(0))
	require.False(t, c.majority(0, "a"))
}

// Dragonboat's observers answer no request for a vote.
func TestWhoDoesNotKnowOfItsPromotionElectsNobody(t *testing.T) {
	c := &clusterTruth{voters: map[uint64]string{1: "", 2: "", 3: ""}, running: map[uint64]string{1: "a", 2: "b", 3: "c"},
		observers: map[uint64]string{3: "c"}}
	require.True(t, c.elects(0))
	require.False(t, c.elects(0, "a"))
	require.True(t, c.majority(0, "a"), "it runs")
	c.observers = map[uint64]string{}
	require.True(t, c.elects(0, "a"))
}

func noApplication(uint64) string { return "" }
