// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(kind[none]{
		name:        "compact-log",
		doc:         "The log storage is asked to free what was dropped from the log: of the target's cluster, or of all clusters on the target. Dragonboat refuses it, and nothing happens, where it does so by itself after each snapshot (clusters.auto_compaction), as the clusters that Drummer starts always do.",
		class:       scenarios.OfFleet,
		colour:      "#5f6fa0",
		effect:      "requests_accepted",
		needs:       scenarios.CanAsk,
		instant:     true,
		sparesPeers: func(none) bool { return true },
		swarm:       swarm[none]{targets: []string{"cluster-member", "nodehost"}, bites: func(s *scenarios.Scenario) bool { return !s.Clusters.AutoCompaction }},
		begin:       func(i *injection, _ none) error { return i.ask(world.CompactLog) },
	})
}
