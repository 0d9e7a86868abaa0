// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
	"math/rand/v2"
)

type lossy struct {
	Drop scenarios.Percents `key:"drop" required:"true" doc:"Share of messages that are lost, such as 20% or 5%..40%."`
}

func init() {
	register(kind[lossy]{
		name:    "lossy",
		doc:     "A share of the messages from and to the target is lost.",
		colour:  "#7a5aa6",
		effect:  "messages_dropped",
		class:   scenarios.OfNetwork,
		hampers: true,
		needs:   scenarios.CanLose,
		swarm: swarm[lossy]{targets: everyHost, lasts: "5s..60s", parameters: func(rng *rand.Rand) lossy {
			return lossy{Drop: percents(rng, 1, 50)}
		}},
		begin: func(i *injection, p lossy) error {
			return i.degrade(i.everybody(), world.Link{Drop: p.Drop.Fraction()}, true, true)
		},
		end:    func(i *injection, _ lossy) error { return i.restore() },
		counts: func(e world.Effect) world.Effect { return world.Effect{MessagesDropped: e.MessagesDropped} },
	})
}
