// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(kind[none]{
		name:    "clog",
		doc:     "What is sent from and to the target is held until the fault ends, and then arrives within a moment in any order: also what was sent several terms before.",
		class:   scenarios.OfNetwork,
		colour:  "#4f7f8f",
		effect:  "messages_held bytes_held connections_reset",
		needs:   scenarios.CanHold,
		cutsOff: true,
		swarm:   swarm[none]{targets: everyHost, lasts: "1s..30s"},
		begin: func(i *injection, _ none) error {
			return i.degrade(i.everybody(), world.Link{Hold: true}, true, true)
		},
		end: func(i *injection, _ none) error { return i.restore() },
		counts: func(e world.Effect) world.Effect {
			return world.Effect{MessagesHeld: e.MessagesHeld, BytesHeld: e.BytesHeld, ConnectionsReset: e.ConnectionsReset}
		},
	})
}
