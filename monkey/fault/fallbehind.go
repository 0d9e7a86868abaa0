// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// behindEvery is how often it is looked whether a member has fallen behind.
const behindEvery = 250 * time.Millisecond

func init() {
	register(kind[none]{
		name:    "fall-behind",
		doc:     "The target is cut off from all other NodeHosts until it needs a snapshot, because the leader has dropped the entries that it lacks; for at most the time that is given.",
		class:   scenarios.OfNetwork,
		colour:  "#7a6a2f",
		effect:  "followers_behind messages_dropped bytes_held connections_reset",
		needs:   scenarios.CanCut,
		cutsOff: true,
		swarm:   swarm[none]{targets: []string{"cluster-follower", "nodehost"}, lasts: "30s..2m"},
		begin: func(i *injection, _ none) error {
			i.first = behindEvery
			return i.degrade(i.others(isNodeHost), world.Link{Cut: true}, true, true)
		},
		again: func(i *injection, _ none) (time.Duration, error) {
			if i.effect.FollowersBehind = i.behind(); i.effect.FollowersBehind > 0 {
				return 0, nil
			}
			return behindEvery, nil
		},
		end:    func(i *injection, _ none) error { return i.restore() },
		counts: cutOff,
	})
}

// behind counts the nodes on the injection's hosts, of its cluster if it has one,
// whose next entry their leader has not got any more.
func (i *injection) behind() (n int64) {
	for _, h := range i.hosts {
		nodes, err := i.world.RaftNodes(h)
		if err != nil { // it has ended
			continue
		}
		for _, node := range nodes {
			if (i.cluster == 0 || node.ClusterID == i.cluster) && i.firstIndex(node.ClusterID) > node.LastIndex+1 {
				n++
			}
		}
	}
	return n
}

// firstIndex is the first entry that a cluster's leader has, of the term that is
// greatest; 0: it has no leader.
func (i *injection) firstIndex(cluster uint64) uint64 {
	var leader world.RaftNode
	for _, h := range i.world.Hosts() {
		if !isNodeHost(h) || !i.world.Running(h.Name) {
			continue
		}
		nodes, err := i.world.RaftNodes(h.Name)
		if err != nil {
			continue
		}
		for _, n := range nodes {
			if n.ClusterID == cluster && n.Role == "leader" && n.Term > leader.Term {
				leader = n
			}
		}
	}
	return leader.FirstIndex
}
