// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"slices"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// truth is one look at all running hosts.
type truth struct {
	clusters map[uint64]*clusterTruth
	hosts    map[string]world.Inspection
}

// clusterTruth joins what the running nodes of a cluster say.
type clusterTruth struct {
	ccid      uint64
	voters    map[uint64]string // NodeID → RaftAddress, newest membership seen
	running   map[uint64]string // NodeID → host, members and others
	observers map[uint64]string // those of running that are observers
	witnesses map[uint64]string // those of running that are witnesses
}

// look inspects every running host. A host that dies meanwhile is left out.
func look(ctx context.Context, w world.World) truth {
	tr := truth{clusters: map[uint64]*clusterTruth{}, hosts: map[string]world.Inspection{}}
	for _, h := range w.Hosts() {
		if h.Role != world.NodeHost || !w.Running(h.Name) {
			continue
		}
		in, err := w.Inspect(ctx, h.Name)
		if err != nil {
			continue
		}
		tr.hosts[h.Name] = in
		for _, n := range in.Nodes {
			tr.add(h.Name, n)
		}
	}
	return tr
}

func (tr *truth) add(host string, n world.Node) {
	c := tr.clusters[n.ClusterID]
	if c == nil {
		c = &clusterTruth{running: map[uint64]string{}, observers: map[uint64]string{}, witnesses: map[uint64]string{}}
		tr.clusters[n.ClusterID] = c
	}
	if n.Ready && n.ConfigID >= c.ccid {
		c.ccid, c.voters = n.ConfigID, n.Voters
	}
	c.running[n.NodeID] = host
	if n.IsObserver {
		c.observers[n.NodeID] = host
	}
	if n.IsWitness {
		c.witnesses[n.NodeID] = host
	}
}

// members is how many of which role a cluster has, or should have.
type members struct{ voters, observers, witnesses int }

// full reports whether a cluster has exactly its wanted members, all running, and
// nobody else.
func (c *clusterTruth) full(want members) bool {
	if len(c.voters) != want.voters || len(c.observers) != want.observers || len(c.witnesses) != want.witnesses ||
		len(c.running) != want.voters+want.observers+want.witnesses {
		return false
	}
	for node := range c.voters {
		if _, ok := c.running[node]; !ok || c.observers[node] != "" {
			return false
		}
	}
	return true
}

// elects reports whether the cluster would still have a majority, and could elect a
// leader, without some hosts. A member that was promoted and does not know it yet gives no
// vote: Dragonboat's observers answer no request for one.
func (c *clusterTruth) elects(witnesses int, without ...string) bool {
	return c.most(witnesses, without, func(node uint64) bool { return c.observers[node] == "" })
}

// majority reports whether most of those who vote, of whom so many should be
// witnesses, run on hosts other than those. With nobody but witnesses left a
// cluster has nobody to lead it.
func (c *clusterTruth) majority(witnesses int, without ...string) bool {
	return c.most(witnesses, without, func(uint64) bool { return true })
}

// most is majority of those voters that count.
func (c *clusterTruth) most(witnesses int, without []string, counts func(node uint64) bool) bool {
	voters, left := 0, 0
	for node := range c.voters {
		if h, ok := c.running[node]; ok && counts(node) && !slices.Contains(without, h) {
			voters++
		}
	}
	for _, h := range c.witnesses {
		if !slices.Contains(without, h) {
			left++
		}
	}
	return voters > 0 && voters+left >= (len(c.voters)+witnesses)/2+1
}
