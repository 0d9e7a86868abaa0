// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// prospects is what clusters wait for, as this server would decide. It follows the
// states that are asked about.
type prospects struct {
	mu     sync.Mutex
	memory schedule.Memory
	state  *db.State // of plan
	plan   schedule.Plan
}

// at is the plan for a state. States don't change, so the answer is kept until another
// one is asked about.
func (p *prospects) at(state *db.State, policy schedule.Policy) schedule.Plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != state {
		p.state, p.plan = state, p.memory.Decide(state, policy, Seed(state))
	}
	return p.plan
}

// prospectsEvery is how often prospects follow DrummerDB though nobody asks.
const prospectsEvery = 10 * time.Second

// follow keeps the first one who asks from having to wait until the whole fleet, or
// all that has happened to it in an hour, was looked at.
func (p *prospects) follow(ctx context.Context, s *Server) {
	ticker := time.NewTicker(prospectsEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if state := s.applied.Load(); state != nil {
				p.at(state, s.config.Policy)
			}
		case <-ctx.Done():
			return
		}
	}
}

// pageSize is the number of clusters, or hosts, of an answer that was not asked for
// a certain one; maxPage is the most that may be asked for.
const (
	pageSize = 1000
	maxPage  = 10_000
)

// pageLimit is how many a page has that was asked for with a limit.
func pageLimit(limit uint32) (int, error) {
	switch {
	case limit == 0:
		return pageSize, nil
	case limit > maxPage:
		return 0, status.Errorf(codes.InvalidArgument, "a page of %d is too long, %d are allowed", limit, maxPage)
	default:
		return int(limit), nil
	}
}

// Locate returns where a cluster is, for programs that run this server: as it has
// applied DrummerDB, which may be behind the leader's, and without a lock or a round of
// Raft. Nil: nobody has heard of the cluster, or this server has not begun. What the
// cluster waits for is not said. The answer is shared, and must not be changed.
func (s *Server) Locate(clusterID uint64) *pb.ClusterLocation {
	state := s.applied.Load()
	if state == nil {
		return nil
	}
	return s.index.Locate(state, clusterID)
}

// locate describes the clusters with the IDs, or a page of all of them. IDs that
// nobody defined or reported are left out.
func (s *Server) locate(state *db.State, req *pb.LocateRequest) (*pb.LocateResponse, error) {
	out := &pb.LocateResponse{DbIndex: state.Index, Servers: s.peers.Addresses()}
	plan := s.prospects.at(state, s.config.Policy)
	describe := func(c *db.Cluster) *pb.ClusterLocation {
		location := state.Location(c, s.config.Policy.TTL)
		location.WaitingFor = plan.WaitingFor(c.ID)
		return location
	}
	for _, id := range req.GetClusterIds() {
		c := state.Clusters.At(id)
		if c == nil {
			continue
		}
		out.Known++
		if location := describe(c); !req.GetUnfinished() || unfinished(location) {
			out.Clusters = append(out.Clusters, location)
		}
	}
	if len(req.GetClusterIds()) > 0 {
		explainRefusals(state, out.Clusters)
		return out, nil
	}
	limit, err := pageLimit(req.GetLimit())
	if err != nil {
		return nil, err
	}
	out.Known = uint64(state.Clusters.Len())
	for c := range candidates(state, plan, req) {
		location := describe(c)
		if req.GetUnfinished() && !unfinished(location) {
			continue
		}
		if len(out.Clusters) == limit {
			out.NextAfterClusterId = out.Clusters[limit-1].GetClusterId()
			break
		}
		out.Clusters = append(out.Clusters, location)
	}
	return out, nil
}

// candidates are the clusters that may be on a page, in order: where only unfinished
// ones are wanted, those that the plan has something to say of.
func candidates(state *db.State, plan schedule.Plan, req *pb.LocateRequest) iter.Seq[*db.Cluster] {
	return func(yield func(*db.Cluster) bool) {
		if !req.GetUnfinished() {
			for _, c := range state.Clusters.After(req.GetAfterClusterId()) {
				if !yield(c) {
					return
				}
			}
			return
		}
		for _, id := range plan.Unhealthy() {
			if id > req.GetAfterClusterId() && !yield(state.Clusters.At(id)) {
				return
			}
		}
	}
}

// unfinished reports whether a cluster is not as specified. One that hosts report
// and nobody defined is as good as any.
func unfinished(c *pb.ClusterLocation) bool {
	if c.GetSpec() == nil {
		return false
	}
	voters := uint32(0)
	for _, m := range c.GetMembers() {
		if m.GetRole() != pb.MemberRole_VOTER || !m.GetRunning() {
			return true
		}
		voters++
	}
	return c.GetWaitingFor() != "" || voters != c.GetSpec().GetSize()
}

// explainRefusals finds for each cluster the newest event that says why something
// was not done to it. It looks through the events once.
func explainRefusals(state *db.State, clusters []*pb.ClusterLocation) {
	lacking := map[uint64]*pb.ClusterLocation{}
	for _, c := range clusters {
		if unfinished(c) {
			lacking[c.GetClusterId()] = c
		}
	}
	for _, event := range slices.Backward(state.Events) {
		if len(lacking) == 0 {
			return
		}
		if c := lacking[event.GetClusterId()]; c != nil && isRefusal(event) {
			c.LastRefusal = event
			delete(lacking, c.GetClusterId())
		}
	}
}

// listHosts is a page of the hosts.
func listHosts(state *db.State, policy schedule.Policy, req *pb.ListNodeHostsRequest) (*pb.ListNodeHostsResponse, error) {
	limit, err := pageLimit(req.GetLimit())
	if err != nil {
		return nil, err
	}
	out := &pb.ListNodeHostsResponse{DbIndex: state.Index}
	for _, host := range state.Hosts.After(req.GetAfterNodehostId()) {
		if len(out.Hosts) == limit {
			out.NextAfterNodehostId = out.Hosts[limit-1].GetHost().GetNodehostId()
			break
		}
		out.Hosts = append(out.Hosts, state.HostStatus(host, policy.Suspect, policy.TTL))
	}
	return out, nil
}
