// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type reorder struct {
	Share scenarios.Percents `key:"share" required:"true" doc:"Share of messages that others overtake, such as 20% or 5%..40%."`
}

func init() {
	register(kind[reorder]{
		name:    "reorder",
		doc:     "A share of the Raft messages from and to the target arrives late, behind messages that were sent after them.",
		class:   scenarios.OfNetwork,
		hampers: true,
		colour:  "#5c8a3a",
		effect:  "messages_reordered",
		needs:   scenarios.CanReorder,
		swarm: swarm[reorder]{targets: everyHost, lasts: "5s..60s", parameters: func(rng *rand.Rand) reorder {
			return reorder{Share: percents(rng, 1, 50)}
		}},
		begin: func(i *injection, p reorder) error {
			return i.degrade(i.everybody(), world.Link{Reorder: p.Share.Fraction()}, true, true)
		},
		end:    func(i *injection, _ reorder) error { return i.restore() },
		counts: func(e world.Effect) world.Effect { return world.Effect{MessagesReordered: e.MessagesReordered} },
	})
}
