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

	"github.com/drumbeat-raft/drumbeat/monkey/sim/simnet"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// staleChangeEvery is the time between two rounds of stale membership changes.
const staleChangeEvery = time.Second

// strayNodeID is far above the NodeIDs that anybody gives, and strayAddress that of
// no host: a member with an address that another one has is refused for that.
const (
	strayNodeID  = 1 << 40
	strayAddress = "nobody:1"
)

// StaleChanges has an operator ask the Raft nodes on a host, each of them once a
// second until stop is called, for membership changes that name a config change
// which is not the last one, as if they had been sent twice, or came late; or that
// add a member which was removed, by the newest config change. Each has to be
// refused; one that is not is told by Examine.
func (w *World) StaleChanges(name string) (stop func(), err error) {
	h, err := w.host(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.mu.Lock()
	w.operators = append(w.operators, cancel)
	w.mu.Unlock()
	w.stopping.Go(func() {
		for round := uint64(0); ctx.Err() == nil; round++ {
			if p, ok := h.running().(*nodeHost); ok {
				for _, n := range p.nodes() {
					simnet.OnHost(h.Name, func() { w.staleChange(ctx, h, p, n, round) })
				}
			}
			select {
			case <-time.After(staleChangeEvery):
			case <-ctx.Done():
			}
		}
	})
	return cancel, nil
}

// staleChange asks for one, and counts it if it was refused.
func (w *World) staleChange(ctx context.Context, h *host, p *nodeHost, n world.Node, round uint64) {
	if !n.Ready || n.ConfigID < 2 {
		return // the node knows of no config change before the last one
	}
	stale := n.ConfigID - 1
	why := fmt.Sprintf("it named config change %d, not the last one", stale)
	limited, cancel := context.WithTimeout(ctx, staleChangeEvery)
	defer cancel()
	var what string
	var err error
	switch round % 4 {
	case 0:
		what = "an addition of an observer"
		err = p.dragonboat.SyncRequestAddObserver(limited, n.ClusterID, strayNodeID+round, strayAddress, stale)
	case 1:
		what = "a removal"
		err = p.dragonboat.SyncRequestDeleteNode(limited, n.ClusterID, n.NodeID, stale)
	case 2:
		id, newest := removedNode(limited, p, n.ClusterID, round)
		if id == 0 {
			return // none was removed yet
		}
		what, why = "an addition of a voter", fmt.Sprintf("node %d was removed before", id)
		err = p.dragonboat.SyncRequestAddNode(limited, n.ClusterID, id, strayAddress, newest)
	default:
		what = "an addition of a voter"
		err = p.dragonboat.SyncRequestAddNode(limited, n.ClusterID, strayNodeID+round, strayAddress, stale)
	}
	switch {
	case errors.Is(err, dragonboat.ErrRejected):
		h.changesRefused.Add(1)
	case err == nil:
		w.mu.Lock()
		w.accepted = append(w.accepted, fmt.Sprintf("%s of cluster %d was accepted by way of %s although %s",
			what, n.ClusterID, h.Name, why))
		w.mu.Unlock()
	}
}

// removedNode picks a node that was removed from a cluster, and the ID of the cluster's
// newest config change; 0: there is none, or the cluster does not tell.
func removedNode(ctx context.Context, p *nodeHost, clusterID, round uint64) (id, newest uint64) {
	m, err := p.dragonboat.SyncGetClusterMembership(ctx, clusterID)
	if err != nil || len(m.Removed) == 0 {
		return 0, 0
	}
	removed := slices.Sorted(maps.Keys(m.Removed))
	return removed[round/4%uint64(len(removed))], m.ConfigChangeID
}
