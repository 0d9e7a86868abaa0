// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
	"math/rand/v2"
)

type duplicate struct {
	Share scenarios.Percents `key:"share" required:"true" doc:"Share of messages that arrive twice, such as 20% or 5%..40%."`
}

func init() {
	register(kind[duplicate]{
		name:   "duplicate",
		doc:    "A share of the Raft messages from and to the target arrives twice; not the proposals that followers forward, which no transport repeats.",
		colour: "#3f8f6b",
		effect: "messages_duplicated",
		class:  scenarios.OfNetwork,
		needs:  scenarios.CanDuplicate,
		swarm: swarm[duplicate]{targets: everyHost, lasts: "5s..60s", parameters: func(rng *rand.Rand) duplicate {
			return duplicate{Share: percents(rng, 1, 50)}
		}},
		begin: func(i *injection, p duplicate) error {
			return i.degrade(i.everybody(), world.Link{Duplicate: p.Share.Fraction()}, true, true)
		},
		end:    func(i *injection, _ duplicate) error { return i.restore() },
		counts: func(e world.Effect) world.Effect { return world.Effect{MessagesDuplicated: e.MessagesDuplicated} },
	})
}
