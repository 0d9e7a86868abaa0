// SPDX-License-Identifier: Apache-2.0

package server

import (
	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// locate describes the clusters with the IDs, or all of them. IDs that nobody
// defined or reported are left out.
func locate(state *db.State, policy schedule.Policy, ids []uint64) *pb.LocateResponse {
	out := &pb.LocateResponse{DbIndex: state.Index}
	waiting := map[uint64]string{}
	for _, w := range schedule.Decide(state, policy, Seed(state)).Waiting {
		waiting[w.ClusterID] = w.For
	}
	add := func(c *db.Cluster) {
		location := state.Location(c, policy.TTL)
		location.WaitingFor = waiting[c.ID]
		out.Clusters = append(out.Clusters, location)
	}
	if len(ids) == 0 {
		for _, c := range state.Clusters.All() {
			add(c)
		}
		return out
	}
	for _, id := range ids {
		if c := state.Clusters.At(id); c != nil {
			add(c)
		}
	}
	return out
}

func listHosts(state *db.State, policy schedule.Policy) *pb.ListNodeHostsResponse {
	out := &pb.ListNodeHostsResponse{DbIndex: state.Index}
	for _, host := range state.Hosts.All() {
		out.Hosts = append(out.Hosts, state.HostStatus(host, policy.TTL))
	}
	return out
}
