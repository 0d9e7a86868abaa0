// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"

	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
)

// StaticCluster is a Raft cluster without a Master: its members are fixed, and
// each NodeHost starts its own nodes whenever it starts.
type StaticCluster struct {
	ID          uint64
	Application string
	// Voters are the initial members, NodeID → RaftAddress. Observers and Witnesses
	// are added by AddStandingMembers, once, and stay.
	Voters, Observers, Witnesses map[uint64]string
	// Raft is what each node is started with, but for what names the node and its
	// role.
	Raft config.Config
}

// startStatic starts the nodes of a NodeHost, with the same arguments each time.
func (p *nodeHost) startStatic(registry map[string]agent.Application, disk *diskcheck.Checker) error {
	own := p.dragonboat.RaftAddress()
	for _, c := range p.static {
		for _, members := range []map[uint64]string{c.Voters, c.Observers, c.Witnesses} {
			for _, node := range slices.Sorted(maps.Keys(members)) {
				if members[node] != own {
					continue
				}
				if err := disk.Replica(c.ID, node); err != nil {
					return fmt.Errorf("node %d of cluster %d is lost: %w", node, c.ID, err)
				}
				if err := c.start(p.dragonboat, registry[c.Application], node); err != nil {
					return fmt.Errorf("start node %d of cluster %d: %w", node, c.ID, err)
				}
			}
		}
	}
	return nil
}

func (c *StaticCluster) start(nodehost *dragonboat.NodeHost, application agent.Application, node uint64) error {
	raft := c.Raft
	raft.ClusterID, raft.NodeID = c.ID, node
	_, raft.IsObserver = c.Observers[node]
	if _, raft.IsWitness = c.Witnesses[node]; raft.IsWitness {
		raft.SnapshotEntries, raft.CompactionOverhead = 0, 0 // it has no state machine to make one of
	}
	members, join := c.Voters, raft.IsObserver || raft.IsWitness
	if join {
		members = nil
	}
	switch {
	case application.Regular != nil:
		return nodehost.StartCluster(members, join, application.Regular, raft)
	case application.Concurrent != nil:
		return nodehost.StartConcurrentCluster(members, join, application.Concurrent, raft)
	}
	return nodehost.StartOnDiskCluster(members, join, application.OnDisk, raft)
}

// witness reports whether a node is one: Dragonboat's own list of nodes does not
// say so.
func (p *nodeHost) witness(cluster, node uint64) bool {
	return slices.ContainsFunc(p.static, func(c StaticCluster) bool { return c.ID == cluster && c.Witnesses[node] != "" })
}

// addEvery is the time between two attempts to add a standing member.
const addEvery = 500 * time.Millisecond

// AddStandingMembers adds the observers and witnesses of the static clusters, as
// an operator does once. It returns when all of them are members, or ctx ends.
func (w *World) AddStandingMembers(ctx context.Context) error {
	for _, c := range w.cfg.Static {
		for _, node := range slices.Sorted(maps.Keys(c.Observers)) {
			if err := w.addMember(ctx, c, node, c.Observers[node], (*dragonboat.NodeHost).SyncRequestAddObserver); err != nil {
				return err
			}
		}
		for _, node := range slices.Sorted(maps.Keys(c.Witnesses)) {
			if err := w.addMember(ctx, c, node, c.Witnesses[node], (*dragonboat.NodeHost).SyncRequestAddWitness); err != nil {
				return err
			}
		}
	}
	return nil
}

// add is one of Dragonboat's calls that add a member.
type add func(nodehost *dragonboat.NodeHost, ctx context.Context, cluster, node uint64, target string, ccid uint64) error

func (w *World) addMember(ctx context.Context, c StaticCluster, node uint64, address string, add add) error {
	for {
		err := w.tryAdd(ctx, c.ID, node, address, add)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("node %d of cluster %d was not added: %w", node, c.ID, err)
		case <-time.After(addEvery):
		}
	}
}

// tryAdd asks whoever leads the cluster, unless the member is there already: an
// attempt that timed out may have been successful.
func (w *World) tryAdd(ctx context.Context, cluster, node uint64, address string, add add) error {
	leader, ok := w.ClusterLeader(cluster)
	if !ok {
		return errors.New("the cluster has no leader")
	}
	p, err := w.nodeHost(leader)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, 10*w.cfg.RTT+time.Second)
	defer cancel()
	m, err := p.membership(limited, cluster)
	if err != nil || m.Observers[node] != "" || m.Witnesses[node] != "" {
		return err
	}
	return add(p.dragonboat, limited, cluster, node, address, m.ConfigID)
}
