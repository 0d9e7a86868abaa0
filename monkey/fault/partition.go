// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"
	"slices"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// partition has the parameters of a partition. Clients reach both groups,
// unless a host is isolated.
type partition struct {
	Split string `key:"split" default:"isolate" enum:"isolate|halves|drummers|peers|clients|agents" doc:"isolate cuts the target off from everybody; halves splits all hosts into two groups, the target in the smaller one; drummers cuts all Drummers off from all NodeHosts, which still reach each other; peers cuts a NodeHost off from all others, while Drummers and clients still reach it; clients cuts the target off from all clients only; agents cuts a NodeHost off from all Drummers only."`
}

func init() {
	register(kind[partition]{
		name:        "partition",
		doc:         "Messages between two groups of hosts are dropped, both ways.",
		colour:      "#3b6fb6",
		effect:      "messages_dropped bytes_held connections_reset",
		class:       scenarios.OfNetwork,
		needs:       scenarios.CanCut,
		cutsOff:     true,
		validate:    validatePartition,
		hosts:       cutOffGroup,
		sparesPeers: func(p partition) bool { return p.Split == "drummers" || p.Split == "clients" || p.Split == "agents" },
		swarm: swarm[partition]{targets: []string{"nodehost", "cluster-leader"}, lasts: "5s..60s", parameters: func(rng *rand.Rand) partition {
			return partition{Split: []string{"isolate", "halves", "peers", "clients", "agents"}[rng.IntN(5)]}
		}},
		begin: func(i *injection, p partition) error {
			return i.degrade(beyondCut(i, p), world.Link{Cut: true}, true, true)
		},
		end:    func(i *injection, _ partition) error { return i.restore() },
		counts: cutOff,
	})
}

// cutOff is what a cut does to traffic.
func cutOff(e world.Effect) world.Effect {
	return world.Effect{MessagesDropped: e.MessagesDropped, BytesHeld: e.BytesHeld, ConnectionsReset: e.ConnectionsReset}
}

func validatePartition(_ *scenarios.Scenario, f *scenarios.Fault, p partition, report func(key, format string, args ...any)) {
	if p.Split == "drummers" && !f.Target.OfDrummers() {
		report("target", "found %s, expected drummer: split drummers is about all of them", f.Target)
	}
	if (p.Split == "peers" || p.Split == "agents") && f.Target.OfDrummers() {
		report("target", "found %s, expected a NodeHost: split %s cuts one off", f.Target, p.Split)
	}
}

// cutOffGroup returns the group that is cut off: the target, all Drummers that
// run, or the smaller half.
func cutOffGroup(i *injection, p partition) []string {
	switch p.Split {
	case "drummers":
		var drummers []string
		for _, h := range i.world.Hosts() {
			if h.Role == world.Drummer && i.world.Running(h.Name) {
				drummers = append(drummers, h.Name)
			}
		}
		return drummers
	case "halves":
		rest := i.others(anyHost)
		i.rng.Shuffle(len(rest), func(a, b int) { rest[a], rest[b] = rest[b], rest[a] })
		more := max(0, (len(rest)+len(i.hosts))/2-len(i.hosts))
		return slices.Concat(i.hosts, rest[:more])
	}
	return i.hosts
}

// beyondCut returns whom the group cannot reach.
func beyondCut(i *injection, p partition) []string {
	switch p.Split {
	case "drummers", "halves":
		return i.others(anyHost)
	case "peers":
		return i.others(isNodeHost)
	case "clients":
		return []string{world.Clients}
	case "agents":
		return i.others(func(h world.Host) bool { return h.Role == world.Drummer })
	}
	return i.everybody()
}
