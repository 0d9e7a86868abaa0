// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(kind[none]{
		name:        "transfer-leader",
		doc:         "The leader of a cluster is asked to hand leadership to another member: of the target's cluster, or of all clusters that the target leads.",
		class:       scenarios.OfFleet,
		colour:      "#5fa05f",
		effect:      "requests_accepted",
		needs:       scenarios.CanAsk,
		instant:     true,
		sparesPeers: func(none) bool { return true },
		swarm:       swarm[none]{targets: []string{"cluster-leader"}},
		begin:       func(i *injection, _ none) error { return i.ask(world.TransferLeader) },
	})
}
