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
		location := describe(state, policy, c)
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

// describe is Drummer's picture of a cluster. Its members are those of the
// newest membership reported; a cluster of which none was reported yet has the
// members it was placed with.
func describe(state *db.State, policy schedule.Policy, c *db.Cluster) *pb.ClusterLocation {
	location := &pb.ClusterLocation{
		ClusterId:      c.ID,
		ConfigChangeId: c.Image.CCID,
		Available:      state.Available(c, policy.TTL),
		LeaderId:       c.Leader,
		Spec:           c.Spec,
		Launched:       len(c.Initial) > 0 || c.Image.CCID != 0,
	}
	members := c.Image.Members
	if c.Image.CCID == 0 {
		members = c.Initial
	}
	for _, m := range members {
		location.Members = append(location.Members, member(state, policy, c, m))
	}
	return location
}

func member(state *db.State, policy schedule.Policy, c *db.Cluster, m db.Member) *pb.MemberLocation {
	out := &pb.MemberLocation{NodeId: m.NodeID, Role: m.Role, RaftAddress: m.Address}
	node := c.Node(m.NodeID)
	if node == nil {
		return out
	}
	out.Running = state.Running(c, node, policy.TTL)
	if host := state.NodeHost(node); host != nil {
		out.NodehostId = host.ID()
		out.ApiAddress = host.Info.GetApiAddress()
	}
	return out
}

func listHosts(state *db.State, policy schedule.Policy) *pb.ListNodeHostsResponse {
	out := &pb.ListNodeHostsResponse{DbIndex: state.Index}
	for id, host := range state.Hosts.All() {
		status := &pb.NodeHostStatus{
			Host:         host.Info,
			State:        state.HostState(host, policy.TTL),
			LastSeenTick: host.LastSeen,
		}
		for clusterID := range host.Replicas.All() {
			for _, replica := range state.Clusters.At(clusterID).Replicas {
				if replica.HostID == id && replica.Running {
					status.Nodes++
				}
			}
		}
		out.Hosts = append(out.Hosts, status)
	}
	return out
}
