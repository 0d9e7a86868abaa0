// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type delay struct {
	Latency scenarios.Range `key:"latency" required:"true" doc:"Time that is added to each message, such as 50ms or 10ms..2s; drawn once for each fault."`
	Jitter  scenarios.Range `key:"jitter" optional:"true" doc:"A time up to this much, drawn for each message, is added on top of latency."`
}

func init() {
	register(kind[delay]{
		name:    "delay",
		doc:     "Messages from and to the target arrive late.",
		colour:  "#9a6fc4",
		effect:  "messages_delayed",
		class:   scenarios.OfNetwork,
		hampers: true,
		needs:   scenarios.CanDelay,
		swarm: swarm[delay]{targets: everyHost, lasts: "5s..60s", parameters: func(rng *rand.Rand) delay {
			return delay{Latency: lengths(rng, time.Millisecond, 2*time.Second), Jitter: lengths(rng, time.Millisecond, 2*time.Second)}
		}},
		begin: func(i *injection, p delay) error {
			return i.degrade(i.everybody(), world.Link{Delay: p.Latency.Min.D(), Jitter: p.Jitter.Min.D()}, true, true)
		},
		end:    func(i *injection, _ delay) error { return i.restore() },
		counts: func(e world.Effect) world.Effect { return world.Effect{MessagesDelayed: e.MessagesDelayed} },
	})
}
