// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// collect gathers the facts that are judged, after healing.
func (r *runner) collect(ctx context.Context) error {
	f := &r.outcome.Facts
	for _, id := range r.wanted.clusters() {
		f.Clusters = append(f.Clusters, invariant.Cluster{Cluster: id, Size: r.wanted.size(id)})
	}
	if err := r.probe(ctx); err != nil {
		return err
	}
	if f.Undigested = !r.machines.digests(); !f.Undigested {
		f.Digests = r.digests(ctx)
	}
	r.masters.collect(ctx, r)
	r.awaitRemoval(ctx)
	r.recordViews(ctx)
	f.Repairs = r.observer.losses()
	last := r.observer.poll(ctx)
	r.outcome.Unmet = r.unmet(last)
	r.machines.inspect(last, &r.outcome)
	r.outcome.Hidden = r.w.Examine()
	return nil
}

// digests reads the digest of every running member once those of a cluster have
// applied the same.
func (r *runner) digests(ctx context.Context) []invariant.Digest {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	last := map[uint64][]replica{}
	r.wait(ctx, func() bool {
		done := true
		tr := r.observer.poll(ctx)
		for _, id := range slices.Sorted(maps.Keys(tr.clusters)) {
			c := tr.clusters[id]
			if n := len(c.replicas()); !level(last[id], n) {
				last[id] = r.replicas(ctx, id, c)
				done = done && level(last[id], n)
			}
		}
		return done
	})
	all := []invariant.Digest{}
	for _, id := range slices.Sorted(maps.Keys(last)) {
		for _, x := range last[id] {
			all = append(all, x.final(id))
		}
	}
	return all
}

// replicas lists the members with a state machine.
func (c *clusterTruth) replicas() []uint64 {
	nodes := slices.AppendSeq([]uint64{}, maps.Keys(c.voters))
	for node := range c.observers {
		if _, voter := c.voters[node]; !voter {
			nodes = append(nodes, node)
		}
	}
	slices.Sort(nodes)
	return nodes
}

// replica is a node's digest.
type replica struct {
	node    uint64
	host    string
	sum     string
	applied uint64
}

func (x replica) final(cluster uint64) invariant.Digest {
	return invariant.Digest{Cluster: cluster, Node: x.node, Host: x.host, Index: x.applied, Sum: x.sum}
}

// replicas reads the digests of all running members of a cluster that answer.
func (r *runner) replicas(ctx context.Context, cluster uint64, c *clusterTruth) []replica {
	var found []replica
	for _, node := range c.replicas() {
		host := c.running[node]
		if host == "" {
			continue
		}
		if sum, applied, ok := r.machines.digest(ctx, r, cluster, node, host); ok {
			found = append(found, replica{node, host, sum, applied})
		}
	}
	slices.SortFunc(found, func(a, b replica) int { return cmp.Compare(a.node, b.node) })
	return found
}

// level reports whether all of n replicas answered and have applied the same
// number of entries.
func level(rs []replica, n int) bool {
	return len(rs) == n && !slices.ContainsFunc(rs, func(x replica) bool { return x.applied != rs[0].applied })
}

// host finds a host of the world by its name; an unknown one has no addresses.
func (r *runner) host(name string) world.Host {
	for _, h := range r.w.Hosts() {
		if h.Name == name {
			return h
		}
	}
	return world.Host{}
}
