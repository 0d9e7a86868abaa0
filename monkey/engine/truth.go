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
		c = &clusterTruth{running: map[uint64]string{}, observers: map[uint64]string{}}
		tr.clusters[n.ClusterID] = c
	}
	if n.Ready && n.ConfigID >= c.ccid {
		c.ccid, c.voters = n.ConfigID, n.Voters
	}
	c.running[n.NodeID] = host
	if n.IsObserver {
		c.observers[n.NodeID] = host
	}
}

// full reports whether a cluster has exactly its wanted voters, all running, and
// nobody else.
func (c *clusterTruth) full(size int) bool {
	if len(c.voters) != size || len(c.running) != size {
		return false
	}
	for node := range c.voters {
		if _, ok := c.running[node]; !ok || c.observers[node] != "" {
			return false
		}
	}
	return true
}

// majority reports whether most voters run on hosts other than those.
func (c *clusterTruth) majority(without ...string) bool {
	left := 0
	for node := range c.voters {
		if h, ok := c.running[node]; ok && !slices.Contains(without, h) {
			left++
		}
	}
	return left >= len(c.voters)/2+1
}
