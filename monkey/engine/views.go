// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// viewLimit is how long a node may take to tell its cluster's membership, but for
// three election timeouts if those are longer: a leader may just be elected. It is
// asked viewTries times.
const (
	viewLimit = 5 * time.Second
	viewTries = 3
)

// recordViews records who runs where, what the nodes know of their memberships,
// and what Drummer believes, as of one instant: it looks again until nothing
// changed meanwhile and every node told. Clusters that never hold still are
// noted.
func (r *runner) recordViews(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	f := &r.outcome.Facts
	r.wait(limited, func() bool { // what has begun is carried through
		before := r.observer.poll(ctx)
		f.Hosts = r.hosts(before)
		f.Memberships = r.memberships(ctx, before)
		f.Picture = r.picture(ctx)
		f.Changing = changed(before, r.observer.poll(ctx))
		return len(f.Changing) == 0 && f.Picture != nil && told(f.Memberships)
	})
}

// told reports whether all views are whole.
func told(views []invariant.Membership) bool {
	return !slices.ContainsFunc(views, func(m invariant.Membership) bool { return m.VotersOnly })
}

// changed lists, in order, the clusters whose nodes or memberships are not the
// same in two looks. ConfigIDs only grow, so nothing changed and changed back.
func changed(before, after truth) []uint64 {
	at := func(tr truth) map[uint64]map[string]uint64 {
		clusters := map[uint64]map[string]uint64{}
		for host, in := range tr.hosts {
			for _, n := range in.Nodes {
				if clusters[n.ClusterID] == nil {
					clusters[n.ClusterID] = map[string]uint64{}
				}
				clusters[n.ClusterID][fmt.Sprint(host, " ", n.NodeID, n.Ready)] = n.ConfigID
			}
		}
		return clusters
	}
	was, is := at(before), at(after)
	var ids []uint64
	for _, id := range slices.Sorted(maps.Keys(after.clusters)) {
		if !maps.Equal(was[id], is[id]) {
			ids = append(ids, id)
		}
		delete(was, id)
	}
	ids = slices.AppendSeq(ids, maps.Keys(was))
	slices.Sort(ids)
	return ids
}

// hosts is the truth about all NodeHosts.
func (r *runner) hosts(tr truth) []invariant.Host {
	hosts := []invariant.Host{}
	for _, h := range r.w.Hosts() {
		if h.Role != world.NodeHost {
			continue
		}
		in, seen := tr.hosts[h.Name]
		host := invariant.Host{Host: h.Name, Address: h.RaftAddress, Alive: seen || r.w.Running(h.Name), Stored: r.stored(h.Name), Data: r.data(h.Name)}
		if seen {
			host.Running = []invariant.Node{}
		}
		for _, n := range in.Nodes {
			host.Running = append(host.Running, invariant.Node{Cluster: n.ClusterID, Node: n.NodeID})
		}
		hosts = append(hosts, host)
	}
	return hosts
}

// memberships asks each cluster itself, and takes each node's own view.
func (r *runner) memberships(ctx context.Context, tr truth) []invariant.Membership {
	views := []invariant.Membership{}
	now := int64(time.Since(r.start))
	for _, name := range slices.Sorted(maps.Keys(tr.hosts)) {
		for _, n := range tr.hosts[name].Nodes {
			if n.Ready && !n.IsWitness { // one has no state to be asked for
				views = append(views, r.membershipOf(ctx, name, n, now))
			}
		}
	}
	return views
}

func (r *runner) membershipOf(ctx context.Context, host string, n world.Node, at int64) invariant.Membership {
	election := r.scenario.Deployment.RTT.D() * time.Duration(r.scenario.Clusters.ElectionRTT)
	v := invariant.Membership{Cluster: n.ClusterID, Node: n.NodeID, At: at}
	for range viewTries {
		limited, cancel := context.WithTimeout(ctx, max(viewLimit, 3*election))
		m, err := r.w.Membership(limited, host, n.ClusterID)
		cancel()
		if err == nil {
			v.Version, v.Voters, v.Observers, v.Witnesses, v.Removed = m.ConfigID, m.Voters, m.Observers, m.Witnesses, m.Removed
			return v
		}
	}
	v.Version, v.Voters, v.VotersOnly = n.ConfigID, n.Voters, true
	return v
}

// picture is what Drummer believes.
func (r *runner) picture(ctx context.Context) []invariant.PictureNode {
	if r.static() {
		return []invariant.PictureNode{}
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	located, err := r.drummer.Locate(ctx)
	if err != nil {
		return nil
	}
	names := map[string]string{}
	for _, h := range r.w.Hosts() {
		names[h.RaftAddress] = h.Name
	}
	nodes := []invariant.PictureNode{}
	for _, c := range located.GetClusters() {
		for _, m := range c.GetMembers() {
			nodes = append(nodes, invariant.PictureNode{Cluster: c.GetClusterId(), Node: m.GetNodeId(),
				Host: names[m.GetRaftAddress()], Alive: m.GetRunning(), Voter: m.GetRole() == pb.MemberRole_VOTER})
		}
	}
	return nodes
}
