// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"

	"github.com/lni/dragonboat/v3/config"

	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/monkey/workload"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// static reports whether the deployment has no Drummer: its clusters have the
// members that they began with, and NodeHosts start their nodes by themselves.
func (r *runner) static() bool { return r.scenario.Deployment.Drummers == 0 }

// target is the deployment as clients see it.
func (r *runner) target() workload.Target {
	if !r.static() {
		return workload.NewRemote(r.drummer)
	}
	addresses := map[string]string{} // of APIs, by those of Raft
	for _, h := range r.w.Hosts() {
		addresses[h.RaftAddress] = h.APIAddress
	}
	members := map[uint64][]workload.Member{}
	for _, c := range staticClusters(r.scenario, r.machines.applicationOf) {
		for node := uint64(1); node <= uint64(len(c.Voters)+len(c.Observers)); node++ {
			address := c.Voters[node] + c.Observers[node]
			members[c.ID] = append(members[c.ID], workload.Member{Address: addresses[address], Running: true})
		}
	}
	return workload.NewStatic(r.drummer, members)
}

// launchStatic waits for the clusters that NodeHosts have started, and adds their
// standing members.
func (r *runner) launchStatic(ctx, limited context.Context) error {
	if s, ok := r.w.(interface {
		AddStandingMembers(ctx context.Context) error
	}); ok {
		if err := s.AddStandingMembers(limited); err != nil {
			return r.notLaunched(ctx, err)
		}
	}
	return r.launched(ctx, limited)
}

// staticClusters lays the clusters of a scenario without Drummers on its
// NodeHosts, whose names and addresses are the world's: voters first, then
// observers, then witnesses, each cluster one host further than the one before.
func staticClusters(s *scenarios.Scenario, applicationOf func(cluster uint64) string) []sim.StaticCluster {
	var all []sim.StaticCluster
	for i, id := range s.Clusters.IDs() {
		c := sim.StaticCluster{
			ID: id, Application: applicationOf(id), Raft: raftConfig(&s.Clusters),
			Voters: map[uint64]string{}, Observers: map[uint64]string{}, Witnesses: map[uint64]string{},
		}
		for node := range s.Clusters.Size + s.Clusters.Observers + s.Clusters.Witnesses {
			members := c.Voters
			switch {
			case node >= s.Clusters.Size+s.Clusters.Observers:
				members = c.Witnesses
			case node >= s.Clusters.Size:
				members = c.Observers
			}
			members[uint64(node+1)] = fmt.Sprintf("nodehost-%d:1", (i+node)%s.Deployment.NodeHosts+1)
		}
		all = append(all, c)
	}
	return all
}

// raftConfig is what a scenario says of Raft, as Dragonboat takes it.
func raftConfig(c *scenarios.Clusters) config.Config {
	compression := map[string]config.CompressionType{scenarios.NoCompression: config.NoCompression, scenarios.Snappy: config.Snappy}
	return config.Config{
		ElectionRTT: uint64(c.ElectionRTT), HeartbeatRTT: uint64(c.HeartbeatRTT),
		SnapshotEntries: uint64(c.SnapshotEntries), CompactionOverhead: uint64(c.CompactionOverhead),
		MaxInMemLogSize: uint64(c.MaxInMemLogSize), CheckQuorum: c.CheckQuorum, Quiesce: c.Quiesce, OrderedConfigChange: c.OrderedConfigChange,
		DisableAutoCompactions: !c.AutoCompaction,
		EntryCompressionType:   compression[c.EntryCompression], SnapshotCompressionType: compression[c.SnapshotCompression],
	}
}
