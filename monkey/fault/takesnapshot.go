// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(kind[none]{
		name:        "snapshot",
		doc:         "A snapshot is asked for: of the target's cluster, or of all clusters on the target.",
		class:       scenarios.OfFleet,
		colour:      "#5f8fa0",
		effect:      "requests_accepted",
		needs:       scenarios.CanAsk,
		instant:     true,
		sparesPeers: func(none) bool { return true },
		swarm:       swarm[none]{targets: []string{"cluster-member", "nodehost"}},
		begin:       func(i *injection, _ none) error { return i.ask(world.TakeSnapshot) },
	})
}
