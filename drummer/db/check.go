// SPDX-License-Identifier: Apache-2.0

package db

import (
	"fmt"
	"slices"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

// Check returns which invariant of the types in this package the state breaks.
// Apply keeps them all; tests and the snapshot reader make sure.
func (s *State) Check() error {
	if s.Version < 1 || s.Version > Version {
		return fmt.Errorf("version %d is not one of 1 to %d, which this program knows", s.Version, Version)
	}
	if err := soundFuses(s.Blown); err != nil {
		return err
	}
	if len(s.Blown) > 0 && s.Version < 2 {
		return fmt.Errorf("a fuse is blown at version %d, which knows none", s.Version)
	}
	c := checker{s: s, hosts: map[string]*checkedHost{}, inFlight: map[uint64]int{}, digests: map[*pb.RaftConfig]uint64{}}
	for id, h := range s.Hosts.All() {
		c.hosts[id] = &checkedHost{Host: h}
	}
	for id, x := range s.Clusters.All() {
		if err := c.cluster(id, x); err != nil {
			return fmt.Errorf("cluster %d: %w", id, err)
		}
	}
	for id, t := range s.Tombstones.All() {
		if id == 0 || s.Clusters.At(id) != nil || t.NextNodeID == 0 || t.NextNodeID > maxNodeID {
			return fmt.Errorf("the tombstone of cluster %d, with NodeIDs up to %d, can't be", id, t.NextNodeID)
		}
	}
	for id := range s.Hosts.All() {
		if err := c.host(id, c.hosts[id]); err != nil {
			return fmt.Errorf("host %s: %w", id, err)
		}
	}
	if err := c.addresses(); err != nil {
		return err
	}
	if err := c.operations(); err != nil {
		return err
	}
	return c.events()
}

type checker struct {
	s        *State
	hosts    map[string]*checkedHost // by NodeHost ID
	inFlight map[uint64]int          // attempts, by operation ID
	digests  map[*pb.RaftConfig]uint64
}

// checkedHost is a host with what was found of it on the clusters' side.
type checkedHost struct {
	*Host
	placed, running int
	replicas        replicaCounts
}

func (k *checker) cluster(id uint64, c *Cluster) error {
	switch {
	case id == 0 || c.ID != id:
		return fmt.Errorf("it calls itself %d", c.ID)
	case c.ChangedAt > k.s.Index:
		return fmt.Errorf("it changed at index %d, after %d", c.ChangedAt, k.s.Index)
	case c.FirstNodeID == 0 || c.FirstNodeID > c.NextNodeID || c.NextNodeID > maxNodeID:
		return fmt.Errorf("its NodeIDs run from %d to %d", c.FirstNodeID, c.NextNodeID)
	case c.RaftDigest != k.digest(c.Spec.GetRaft()):
		return fmt.Errorf("its Raft configuration has another digest")
	case c.Image.CCID == 0 && len(c.Image.Members)+len(c.Image.Removed) > 0:
		return fmt.Errorf("it has members without a membership")
	case c.Image.CCID != 0 && !c.Image.sound():
		return fmt.Errorf("its membership contradicts itself")
	}
	if c.Deleted && (c.Spec != nil || len(c.Nodes) > 0) {
		return fmt.Errorf("it is deleted and has nodes")
	}
	if c.Spec != nil {
		if err := validateSpec(c.Spec); err != nil {
			return err
		}
	}
	if c.isEmpty() {
		return fmt.Errorf("nothing is left of it")
	}
	for _, m := range c.Image.Members {
		if c.Node(m.NodeID) == nil || m.NodeID >= c.NextNodeID {
			return fmt.Errorf("member %d was never placed", m.NodeID)
		}
	}
	k.attempt(c.Config)
	if !c.leads(c.Leader, c.LeaderTerm) || c.LeaderSince > k.s.Tick {
		return fmt.Errorf("its leader %d of term %d, known since tick %d, is not what its replicas report", c.Leader, c.LeaderTerm, c.LeaderSince)
	}
	if err := k.nodes(c); err != nil {
		return err
	}
	return k.clusterReplicas(c)
}

func (k *checker) nodes(c *Cluster) error {
	for i, n := range c.Nodes {
		switch {
		case i > 0 && c.Nodes[i-1].ID >= n.ID:
			return fmt.Errorf("node %d is out of order", n.ID)
		case n.ID < c.FirstNodeID || n.ID >= c.NextNodeID:
			return fmt.Errorf("node %d is not within %d to %d", n.ID, c.FirstNodeID, c.NextNodeID)
		case !validName(n.Address):
			return fmt.Errorf("node %d has no address", n.ID)
		case c.Image.HasRemoved(n.ID):
			return fmt.Errorf("node %d was removed", n.ID)
		case n.Join != pb.JoinMode_INITIAL && n.Join != pb.JoinMode_JOIN_AS_OBSERVER:
			return fmt.Errorf("node %d joined in no known way", n.ID)
		}
		k.attempt(n.Start)
		if h := k.hosts[n.HostID]; h != nil {
			h.placed++
		}
	}
	for i, m := range c.Initial {
		if i > 0 && c.Initial[i-1].NodeID >= m.NodeID || !validName(m.Address) || !validNodeID(m.NodeID) {
			return fmt.Errorf("its initial members are out of order")
		}
	}
	return nil
}

func (k *checker) clusterReplicas(c *Cluster) error {
	for i, r := range c.Replicas {
		h := k.hosts[r.HostID]
		switch {
		case i > 0 && compareReplicas(c.Replicas[i-1], r) >= 0:
			return fmt.Errorf("replica %d on %s is out of order", r.NodeID, r.HostID)
		case !validNodeID(r.NodeID) || r.NodeID >= c.NextNodeID:
			return fmt.Errorf("replica %d was never placed", r.NodeID)
		case h == nil || h.Gone:
			return fmt.Errorf("replica %d is on host %s, which is unknown or gone", r.NodeID, r.HostID)
		}
		k.attempt(r.Destroy)
		h.replicas.add(c.ID)
		if r.Running {
			h.running++
		}
	}
	return nil
}

// digest is raftspec.Digest, once for a configuration that many clusters share.
func (k *checker) digest(raft *pb.RaftConfig) uint64 {
	d, known := k.digests[raft]
	if !known {
		d = raftspec.Digest(raft)
		k.digests[raft] = d
	}
	return d
}

func (k *checker) attempt(a Attempt) {
	if a.InFlight() {
		k.inFlight[a.Operation]++
	}
}

func (k *checker) host(id string, h *checkedHost) error {
	switch {
	case h.ID() != id:
		return fmt.Errorf("it calls itself %s", h.ID())
	case !h.Silent && (h.LastSeen != 0 || h.Gone):
		return fmt.Errorf("it is heard of, though it was last seen at tick %d, or is gone", h.LastSeen)
	case h.LastSeen > k.s.Tick || h.GoneSince > k.s.Tick || h.Spoke > k.s.Tick:
		return fmt.Errorf("it was seen at tick %d, after %d", h.LastSeen, k.s.Tick)
	case h.Placed != h.placed:
		return fmt.Errorf("it counts %d nodes placed, there are %d", h.Placed, h.placed)
	case h.Running != h.running:
		return fmt.Errorf("it counts %d replicas that run, there are %d", h.Running, h.running)
	case !h.replicas.are(h.Replicas):
		return fmt.Errorf("it counts the replicas of %d clusters, which are not those that there are, of %d clusters", h.Replicas.Len(), len(h.replicas))
	case !h.Gone && k.s.Addresses.At(h.Address()) != id:
		return fmt.Errorf("its address %s belongs to %s", h.Address(), k.s.Addresses.At(h.Address()))
	}
	return nil
}

func (k *checker) addresses() error {
	for address, id := range k.s.Addresses.All() {
		if h := k.s.Hosts.At(id); h == nil || h.Gone || h.Address() != address {
			return fmt.Errorf("address %s belongs to host %s, which is not there", address, id)
		}
	}
	return nil
}

func (k *checker) operations() error {
	for id, op := range k.s.Operations.All() {
		c := k.s.Clusters.At(op.GetRequest().GetClusterId())
		if id == 0 || op.GetId() != id || id >= k.s.NextOperationID ||
			c == nil || c.attempt(op) == nil || k.inFlight[id] != 1 {
			return fmt.Errorf("operation %d is in flight, but not of exactly one attempt", id)
		}
	}
	if len(k.inFlight) != k.s.Operations.Len() {
		return fmt.Errorf("%d attempts are in flight with %d operations", len(k.inFlight), k.s.Operations.Len())
	}
	return nil
}

func (k *checker) events() error {
	events := k.s.Events
	if len(events) > MaxEvents {
		return fmt.Errorf("there are %d events, at most %d are kept", len(events), MaxEvents)
	}
	ordered := slices.IsSortedFunc(events, func(a, b *pb.Event) int {
		if a.GetSequence() < b.GetSequence() {
			return -1
		}
		return 1
	})
	if !ordered || len(events) > 0 && events[len(events)-1].GetSequence() >= k.s.NextEventSequence {
		return fmt.Errorf("the events are out of order")
	}
	return nil
}
