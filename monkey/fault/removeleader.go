// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(kind[none]{
		name:        "remove-leader",
		doc:         "An operator removes the leader of a cluster from it, past Drummer: of the target's cluster, or of all clusters that the target leads. A cluster of fewer than three voters keeps it.",
		class:       scenarios.OfFleet,
		colour:      "#8a5f3c",
		effect:      "requests_accepted",
		needs:       scenarios.CanAsk,
		instant:     true,
		sparesPeers: func(none) bool { return true },
		begin:       func(i *injection, _ none) error { return i.ask(world.RemoveLeader) },
	})
}
