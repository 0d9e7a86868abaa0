// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type bandwidth struct {
	BytesPerSecond scenarios.Counts `key:"bytes_per_second" required:"true" doc:"What each link from and to the target can carry in each direction, such as 20000 or 5000..100000. Raft messages that would wait for more than two seconds are dropped."`
}

func init() {
	register(kind[bandwidth]{
		name:    "bandwidth",
		doc:     "The links from and to the target carry few bytes a second: messages wait for those before them, and are dropped when the queue is too long.",
		class:   scenarios.OfNetwork,
		hampers: true,
		colour:  "#6f6fc4",
		effect:  "messages_delayed messages_dropped",
		needs:   scenarios.CanLimit,
		swarm: swarm[bandwidth]{targets: everyHost, lasts: "5s..60s", parameters: func(rng *rand.Rand) bandwidth {
			return bandwidth{BytesPerSecond: counts(rng, 3000, 200000)}
		}},
		begin: func(i *injection, p bandwidth) error {
			return i.degrade(i.everybody(), world.Link{Bandwidth: int64(p.BytesPerSecond.Min)}, true, true)
		},
		end: func(i *injection, _ bandwidth) error { return i.restore() },
		counts: func(e world.Effect) world.Effect {
			return world.Effect{MessagesDelayed: e.MessagesDelayed, MessagesDropped: e.MessagesDropped}
		},
	})
}
