// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lni/dragonboat/v3"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// askTimeout is what Dragonboat gets for what it is asked.
const askTimeout = 10 * time.Second

// Ask implements world.Processes.
func (w *World) Ask(name string, clusterID uint64, what world.Asked) error {
	p, err := w.nodeHost(name)
	if err != nil {
		return err
	}
	nodes := p.nodes()
	at := slices.IndexFunc(nodes, func(n world.Node) bool { return n.ClusterID == clusterID })
	if at < 0 {
		return fmt.Errorf("no node of cluster %d runs on host %s", clusterID, name)
	}
	node := nodes[at]
	switch what {
	case world.TransferLeader:
		others := slices.DeleteFunc(slices.Sorted(maps.Keys(node.Voters)), func(id uint64) bool { return id == node.NodeID })
		if len(others) == 0 {
			return fmt.Errorf("cluster %d has no other member to lead it", clusterID)
		}
		// By chance, so that it comes back to one who led shortly before, too. It is drawn
		// from the time, whoever asks meanwhile for what else.
		chance := rand.New(rand.NewPCG(w.cfg.Seed, uint64(time.Since(w.made))^clusterID))
		return p.dragonboat.RequestLeaderTransfer(clusterID, others[chance.IntN(len(others))])
	case world.RemoveLeader:
		if len(node.Voters) < 3 || !node.Ready {
			return fmt.Errorf("cluster %d would be left without a majority that can spare one", clusterID)
		}
		_, err = p.dragonboat.RequestDeleteNode(clusterID, node.NodeID, node.ConfigID, askTimeout)
	case world.TakeSnapshot:
		_, err = p.dragonboat.RequestSnapshot(clusterID, dragonboat.SnapshotOption{}, askTimeout)
	case world.CompactLog:
		_, err = p.dragonboat.RequestCompaction(clusterID, node.NodeID)
	default:
		err = fmt.Errorf("a NodeHost can't be asked for %q", what)
	}
	return err
}
