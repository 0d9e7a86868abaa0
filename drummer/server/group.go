// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftread"
	"github.com/drumbeat-raft/drumbeat/drummer/server/internal/peers"
)

// group is DrummerDB's Raft cluster as a server uses it. Raft is behind it, so
// that everything in front of it can be tried on bytes by the million, on
// replicas in memory. An error means that what became of a call is not known.
type group interface {
	// propose makes one proposal; proposeAll makes some that don't depend on
	// each other, without waiting for one before the next.
	propose(ctx context.Context, command []byte) (statemachine.Result, error)
	proposeAll(ctx context.Context, commands [][]byte) ([]statemachine.Result, error)
	// read asks DrummerDB as of now, staleRead as this server has it.
	read(ctx context.Context, query any) (any, error)
	staleRead(query any) (any, error)

	peers.Raft
}

// raftGroup is the group on a NodeHost.
type raftGroup struct {
	nodehost *dragonboat.NodeHost
	timeout  time.Duration // of a proposal
}

func (g *raftGroup) propose(ctx context.Context, command []byte) (statemachine.Result, error) {
	return g.nodehost.SyncPropose(ctx, g.nodehost.GetNoOPSession(ClusterID), command)
}

// maxOpenProposals is how many proposals proposeAll has open at once. Dragonboat
// refuses those that don't fit its queue (soft setting
// IncomingProposalQueueLength), and would do so at every retry.
const maxOpenProposals = 128

func (g *raftGroup) proposeAll(ctx context.Context, commands [][]byte) ([]statemachine.Result, error) {
	results := make([]statemachine.Result, 0, len(commands))
	for some := range slices.Chunk(commands, maxOpenProposals) {
		states := make([]*dragonboat.RequestState, len(some))
		for i, command := range some {
			var err error
			if states[i], err = g.nodehost.Propose(g.nodehost.GetNoOPSession(ClusterID), command, g.timeout); err != nil {
				return nil, err
			}
		}
		for _, state := range states {
			select {
			case r := <-state.ResultC():
				if !r.Completed() {
					return nil, fmt.Errorf("a proposal was not completed: %w", dragonboat.ErrTimeout)
				}
				results = append(results, r.GetResult())
				state.Release()
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
	return results, nil
}

func (g *raftGroup) read(ctx context.Context, query any) (any, error) {
	return g.nodehost.SyncRead(ctx, ClusterID, query)
}

func (g *raftGroup) staleRead(query any) (any, error) { return g.nodehost.StaleRead(ClusterID, query) }

func (g *raftGroup) Membership(ctx context.Context) (*dragonboat.Membership, error) {
	return g.nodehost.SyncGetClusterMembership(ctx, ClusterID)
}

func (g *raftGroup) Voters() map[uint64]string {
	info := g.nodehost.GetNodeHostInfo(dragonboat.NodeHostInfoOption{SkipLogInfo: true})
	if info == nil {
		return nil
	}
	for _, cluster := range info.ClusterInfoList {
		if cluster.ClusterID == ClusterID {
			return cluster.Nodes
		}
	}
	return nil
}

func (g *raftGroup) AddObserver(ctx context.Context, nodeID uint64, address string, ccid uint64) error {
	return g.nodehost.SyncRequestAddObserver(ctx, ClusterID, nodeID, address, ccid)
}

func (g *raftGroup) AddVoter(ctx context.Context, nodeID uint64, address string, ccid uint64) error {
	return g.nodehost.SyncRequestAddNode(ctx, ClusterID, nodeID, address, ccid)
}

func (g *raftGroup) Remove(ctx context.Context, nodeID, ccid uint64) error {
	return g.nodehost.SyncRequestDeleteNode(ctx, ClusterID, nodeID, ccid)
}

func (g *raftGroup) TransferLeader(nodeID uint64) error {
	return g.nodehost.RequestLeaderTransfer(ClusterID, nodeID)
}

func (g *raftGroup) Readable(ctx context.Context, timeout time.Duration) bool {
	return raftread.Ready(ctx, g.nodehost, ClusterID, timeout)
}
