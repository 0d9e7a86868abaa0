// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type clog struct {
	Direction string `key:"direction" default:"both" enum:"in|out|both" doc:"Which direction is held, seen from the target. With out it goes on hearing the others, and all of its answers come late."`
}

func init() {
	register(kind[clog]{
		name:    "clog",
		doc:     "What is sent from and to the target is held until the fault ends, and then arrives within a moment in any order: also what was sent several terms before.",
		class:   scenarios.OfNetwork,
		hampers: true,
		colour:  "#4f7f8f",
		effect:  "messages_held bytes_held connections_reset",
		needs:   scenarios.CanHold,
		cutsOff: true,
		swarm: swarm[clog]{targets: everyHost, lasts: "1s..30s", parameters: func(rng *rand.Rand) clog {
			return clog{Direction: []string{"both", "both", "in", "out"}[rng.IntN(4)]}
		}},
		begin: func(i *injection, p clog) error {
			return i.degrade(i.everybody(), world.Link{Hold: true}, p.Direction != "in", p.Direction != "out")
		},
		end: func(i *injection, _ clog) error { return i.restore() },
		counts: func(e world.Effect) world.Effect {
			return world.Effect{MessagesHeld: e.MessagesHeld, BytesHeld: e.BytesHeld, ConnectionsReset: e.ConnectionsReset}
		},
	})
}
