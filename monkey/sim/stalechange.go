// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
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
// which is not the last one: as if they had been sent twice, or came late. Each has
// to be refused; one that is not is told by Examine.
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
	limited, cancel := context.WithTimeout(ctx, staleChangeEvery)
	defer cancel()
	var what string
	var err error
	switch round % 3 {
	case 0:
		what = "an addition of an observer"
		err = p.dragonboat.SyncRequestAddObserver(limited, n.ClusterID, strayNodeID+round, strayAddress, stale)
	case 1:
		what = "a removal"
		err = p.dragonboat.SyncRequestDeleteNode(limited, n.ClusterID, n.NodeID, stale)
	default:
		what = "an addition of a voter"
		err = p.dragonboat.SyncRequestAddNode(limited, n.ClusterID, strayNodeID+round, strayAddress, stale)
	}
	switch {
	case errors.Is(err, dragonboat.ErrRejected):
		h.changesRefused.Add(1)
	case err == nil:
		w.mu.Lock()
		w.accepted = append(w.accepted, fmt.Sprintf("%s of cluster %d was accepted by way of %s although it named config change %d, not the last one",
			what, n.ClusterID, h.Name, stale))
		w.mu.Unlock()
	}
}
