// SPDX-License-Identifier: Apache-2.0

package server

import (
	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// prospects are what clusters wait for in one state.
type prospects struct {
	state   *db.State
	waiting map[uint64]string
}

// waitingIn returns what clusters wait for. States don't change, so the answer is
// kept until the next one is asked about.
func (s *Server) waitingIn(state *db.State) map[uint64]string {
	if kept := s.prospects.Load(); kept != nil && kept.state == state {
		return kept.waiting
	}
	waiting := map[uint64]string{}
	for _, w := range schedule.Decide(state, s.config.Policy, Seed(state)).Waiting {
		waiting[w.ClusterID] = w.For
	}
	s.prospects.Store(&prospects{state, waiting})
	return waiting
}

// locate describes the clusters with the IDs, or all of them. IDs that nobody
// defined or reported are left out.
func (s *Server) locate(state *db.State, ids []uint64) *pb.LocateResponse {
	policy := s.config.Policy
	out := &pb.LocateResponse{DbIndex: state.Index, Servers: s.peers.Addresses()}
	waiting := s.waitingIn(state)
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
		out.Hosts = append(out.Hosts, state.HostStatus(host, policy.Suspect, policy.TTL))
	}
	return out
}
