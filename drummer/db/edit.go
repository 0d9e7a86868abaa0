// SPDX-License-Identifier: Apache-2.0

package db

import (
	"cmp"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db/ordmap"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

// edit is one command being applied: the state before, a copy that may be
// changed, and the hosts and clusters that were copied to be changed too.
type edit struct {
	base     *State
	s        State
	hosts    map[string]*Host
	clusters map[uint64]*Cluster
	// counts are what is to be added to Host.Replicas yet, by NodeHost ID and ClusterID.
	counts map[string]map[uint64]int
	result *pb.CommandResult
}

func newEdit(base *State, index uint64) *edit {
	e := &edit{
		base:     base,
		s:        *base,
		hosts:    map[string]*Host{},
		clusters: map[uint64]*Cluster{},
		counts:   map[string]map[uint64]int{},
		result:   &pb.CommandResult{Code: pb.CommandCode_APPLIED},
	}
	e.s.Index = index
	return e
}

// publish returns the new state.
func (e *edit) publish() *State {
	for _, c := range e.clusters {
		if c.Spec == nil && len(c.Replicas) == 0 {
			e.abandon(c) // in any order: it is no event, and counts for hosts alone
		}
	}
	hosts := make([]ordmap.Entry[string, *Host], 0, len(e.hosts))
	for id, h := range e.hosts {
		e.applyCounts(h)
		hosts = append(hosts, ordmap.Entry[string, *Host]{Key: id, Value: h})
	}
	e.s.Hosts = e.s.Hosts.SetAll(inOrder(hosts))
	kept := make([]ordmap.Entry[uint64, *Cluster], 0, len(e.clusters))
	for id, c := range e.clusters {
		if c.isEmpty() {
			e.s.Clusters = e.s.Clusters.Delete(id)
			e.s.Tombstones = e.s.Tombstones.Set(id, Tombstone{NextNodeID: c.NextNodeID, Deleted: c.Deleted})
		} else {
			kept = append(kept, ordmap.Entry[uint64, *Cluster]{Key: id, Value: c})
			e.s.Tombstones = e.s.Tombstones.Delete(id)
		}
	}
	e.s.Clusters = e.s.Clusters.SetAll(inOrder(kept))
	e.s.changed = len(e.clusters)
	published := e.s // by itself: who keeps a state must not keep the edit, with the state before, too
	return &published
}

func inOrder[K cmp.Ordered, V any](entries []ordmap.Entry[K, V]) []ordmap.Entry[K, V] {
	slices.SortFunc(entries, func(a, b ordmap.Entry[K, V]) int { return cmp.Compare(a.Key, b.Key) })
	return entries
}

// host returns a host to read or change, or nil when it is not known.
func (e *edit) host(id string) *Host {
	if h := e.hosts[id]; h != nil {
		return h
	}
	old, ok := e.s.Hosts.Get(id)
	if !ok {
		return nil
	}
	h := *old
	e.hosts[id] = &h
	return &h
}

// currentHost returns a host that is known and not gone, or nil.
func (e *edit) currentHost(id string) *Host {
	if h := e.host(id); h != nil && !h.Gone {
		return h
	}
	return nil
}

func (e *edit) dropHost(id string) {
	delete(e.hosts, id)
	delete(e.counts, id)
	e.s.Hosts = e.s.Hosts.Delete(id)
}

// cluster returns a cluster to read or change, or nil when it is not known.
func (e *edit) cluster(id uint64) *Cluster {
	if c := e.clusters[id]; c != nil {
		return c
	}
	old, ok := e.s.Clusters.Get(id)
	if !ok {
		return e.fromTombstone(id)
	}
	c := copyOf(old)
	e.clusters[id] = c
	return c
}

// copyOf is a copy of a cluster that may be changed. Most have three members: such a
// copy is one allocation.
func copyOf(old *Cluster) *Cluster {
	const usual = 3
	if len(old.Nodes) != usual || len(old.Replicas) != usual {
		c := *old
		c.Nodes, c.Replicas = slices.Clone(old.Nodes), slices.Clone(old.Replicas)
		return &c
	}
	c := &struct {
		Cluster
		nodes    [usual]Node
		replicas [usual]Replica
	}{Cluster: *old, nodes: [usual]Node(old.Nodes), replicas: [usual]Replica(old.Replicas)}
	c.Nodes, c.Replicas = c.nodes[:], c.replicas[:]
	return &c.Cluster
}

// fromTombstone makes a cluster of its tombstone, or returns nil.
func (e *edit) fromTombstone(id uint64) *Cluster {
	tombstone, ok := e.s.Tombstones.Get(id)
	if !ok {
		return nil
	}
	c := newCluster(id)
	c.NextNodeID, c.Deleted = tombstone.NextNodeID, tombstone.Deleted
	if tombstone.Deleted {
		c.FirstNodeID = tombstone.NextNodeID
	}
	e.clusters[id] = c
	e.changed(c)
	return c
}

// isEmpty reports whether nothing but its NodeIDs is left of a cluster.
func (c *Cluster) isEmpty() bool {
	return c.Spec == nil && len(c.Nodes) == 0 && len(c.Replicas) == 0 && !c.Config.InFlight()
}

// newCluster is a cluster that nobody has heard of.
func newCluster(id uint64) *Cluster {
	return &Cluster{ID: id, FirstNodeID: 1, NextNodeID: 1, RaftDigest: raftspec.Digest(nil)}
}

func (e *edit) clusterOrNew(id uint64) *Cluster {
	if c := e.cluster(id); c != nil {
		return c
	}
	c := newCluster(id)
	e.clusters[id] = c
	e.changed(c)
	return c
}

// follow finds out which leader a cluster has, after its nodes or what is
// reported of them have changed.
func (e *edit) follow(c *Cluster) {
	term := c.LeaderTerm
	if c.follow(); c.LeaderTerm != term {
		c.LeaderSince = e.s.Tick
	}
}

// changed marks that decisions made from an older state of the cluster are
// stale.
func (e *edit) changed(c *Cluster) { c.ChangedAt = e.s.Index }

// sawNodeID keeps NextNodeID above every NodeID in use.
func sawNodeID(c *Cluster, id uint64) {
	if id >= c.NextNodeID {
		c.NextNodeID = id + 1
	}
}

func (e *edit) addNode(c *Cluster, n Node) *Node {
	i, _ := slices.BinarySearchFunc(c.Nodes, n, compareNodes)
	c.Nodes = slices.Insert(c.Nodes, i, n)
	sawNodeID(c, n.ID)
	if h := e.host(n.HostID); h != nil {
		h.Placed++
	}
	e.follow(c)
	e.changed(c)
	return &c.Nodes[i]
}

func (e *edit) dropNode(c *Cluster, id uint64) {
	i, ok := slices.BinarySearchFunc(c.Nodes, Node{ID: id}, compareNodes)
	if !ok {
		return
	}
	n := c.Nodes[i]
	e.overtake(n.Start)
	if h := e.host(n.HostID); h != nil {
		h.Placed--
	}
	c.Nodes = slices.Delete(c.Nodes, i, i+1)
	e.follow(c)
	e.changed(c)
}

// dropDoubtful drops the nodes placed on a host that are doubtful.
func (e *edit) dropDoubtful(h *Host) {
	for id, base := range e.s.Clusters.All() {
		if h.Placed == 0 {
			return
		}
		if c := e.clusters[id]; c != nil {
			base = c
		}
		for _, n := range slices.Clone(base.Nodes) {
			if n.HostID == h.ID() && base.doubtful(&n) {
				e.dropNode(e.cluster(id), n.ID)
			}
		}
	}
}

func compareNodes(a, b Node) int {
	switch {
	case a.ID < b.ID:
		return -1
	case a.ID > b.ID:
		return 1
	default:
		return 0
	}
}

// putReplica records what a host reports of a node, and reports whether that
// was news. The host is known and not gone.
func (e *edit) putReplica(c *Cluster, r Replica) bool {
	i, found := c.findReplica(r.NodeID, r.HostID)
	if found {
		old := c.Replicas[i]
		if old == r {
			return false
		}
		c.Replicas[i] = r
		if old.Running != r.Running {
			e.countRunning(r.HostID, r.Running)
		}
	} else {
		c.Replicas = slices.Insert(c.Replicas, i, r)
		e.countReplica(r.HostID, c.ID, 1)
		if r.Running {
			e.countRunning(r.HostID, true)
		}
	}
	sawNodeID(c, r.NodeID)
	e.follow(c)
	e.changed(c)
	return true
}

// countRunning counts a replica that runs on a host, or does so no more.
func (e *edit) countRunning(hostID string, runs bool) {
	switch h := e.host(hostID); {
	case h == nil:
	case runs:
		h.Running++
	default:
		h.Running--
	}
}

// countReplica counts a replica of a cluster on a host, or one less.
func (e *edit) countReplica(hostID string, clusterID uint64, by int) {
	if e.host(hostID) == nil {
		return
	}
	counts := e.counts[hostID]
	if counts == nil {
		counts = map[uint64]int{}
		e.counts[hostID] = counts
	}
	counts[clusterID] += by
}

// applyCounts brings a host's Replicas up to date. A report changes many at once, and
// to change them one by one would cost more.
func (e *edit) applyCounts(h *Host) {
	set := make([]ordmap.Entry[uint64, int], 0, len(e.counts[h.ID()]))
	for id, by := range e.counts[h.ID()] {
		if count := h.Replicas.At(id) + by; count > 0 {
			set = append(set, ordmap.Entry[uint64, int]{Key: id, Value: count})
		} else {
			h.Replicas = h.Replicas.Delete(id)
		}
	}
	h.Replicas = h.Replicas.SetAll(inOrder(set))
	delete(e.counts, h.ID())
}

func (e *edit) dropReplica(c *Cluster, nodeID uint64, hostID string) {
	i, ok := c.findReplica(nodeID, hostID)
	if !ok {
		return
	}
	e.overtake(c.Replicas[i].Destroy)
	if c.Replicas[i].Running {
		e.countRunning(hostID, false)
	}
	c.Replicas = slices.Delete(c.Replicas, i, i+1)
	e.countReplica(hostID, c.ID, -1)
	e.follow(c)
	e.changed(c)
}

// abandon drops the nodes of a cluster that was never Drummer's and that no host
// reports any more.
func (e *edit) abandon(c *Cluster) {
	for _, n := range slices.Clone(c.Nodes) {
		e.dropNode(c, n.ID)
	}
	c.Image = Image{}
}

// dropReplicas drops everything that is reported on a host.
func (e *edit) dropReplicas(h *Host, keep func(c *Cluster, r *Replica) bool) {
	e.applyCounts(h)
	for id := range h.Replicas.All() {
		c := e.cluster(id)
		for _, r := range slices.Clone(c.Replicas) {
			if r.HostID == h.ID() && !keep(c, &r) {
				e.dropReplica(c, r.NodeID, r.HostID)
			}
		}
	}
}

// NewState is the state before any command.
func NewState() *State {
	return &State{
		Version:           1,
		NextOperationID:   1,
		NextEventSequence: 1,
		Hosts:             ordmap.Map[string, *Host]{},
	}
}
