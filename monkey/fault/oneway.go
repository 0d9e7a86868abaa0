// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type oneWay struct {
	Direction string `key:"direction" default:"either" enum:"in|out|either" doc:"Which direction is cut, seen from the target; either: drawn."`
}

func init() {
	register(kind[oneWay]{
		name:    "one-way",
		doc:     "Messages between the target and everybody else are dropped in one direction only.",
		colour:  "#4a90b8",
		effect:  "messages_dropped bytes_held connections_reset",
		class:   scenarios.OfNetwork,
		needs:   scenarios.CanCut,
		cutsOff: true,
		swarm:   swarm[oneWay]{targets: everyHost, lasts: "5s..60s"},
		begin: func(i *injection, p oneWay) error {
			out := p.Direction == "out" || p.Direction == "either" && i.rng.IntN(2) == 0
			return i.degrade(i.everybody(), world.Link{Cut: true}, out, !out)
		},
		end:    func(i *injection, _ oneWay) error { return i.restore() },
		counts: cutOff,
	})
}
