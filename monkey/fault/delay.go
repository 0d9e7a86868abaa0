// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type delay struct {
	Latency time.Duration `key:"latency" required:"true" min:"1ms" max:"10m" doc:"Time that is added to each message."`
	Jitter  time.Duration `key:"jitter" optional:"true" max:"10m" doc:"A drawn time up to this much is added on top of latency."`
}

func init() {
	register(kind[delay]{
		name:   "delay",
		doc:    "Messages from and to the target arrive late.",
		colour: "#9a6fc4",
		class:  scenarios.OfNetwork,
		needs:  scenarios.CanDelay,
		swarm: swarm[delay]{targets: everyHost, lasts: "5s..60s", parameters: func(rng *rand.Rand) delay {
			return delay{Latency: between(rng, time.Millisecond, 2*time.Second), Jitter: between(rng, 0, 2*time.Second)}
		}},
		begin: func(i *injection, p delay) error {
			return i.degrade(i.everybody(), world.Link{Delay: p.Latency, Jitter: p.Jitter}, true, true)
		},
		end:    func(i *injection, _ delay) error { return i.restore() },
		counts: func(e world.Effect) world.Effect { return world.Effect{MessagesDelayed: e.MessagesDelayed} },
	})
}
