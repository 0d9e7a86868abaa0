// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type corrupt struct {
	Share scenarios.Percents `key:"share" required:"true" doc:"Share of batches of messages with a flipped bit, such as 5% or 1%..20%."`
}

func init() {
	register(kind[corrupt]{
		name:    "corrupt",
		doc:     "A bit is flipped in a share of what is sent from and to the target. Checksums see it: Raft messages and snapshots are not taken, and their connection is closed; bytes of streams are sent again.",
		class:   scenarios.OfNetwork,
		hampers: true,
		colour:  "#8a5c3a",
		effect:  "messages_corrupted connections_reset",
		needs:   scenarios.CanCorrupt,
		swarm: swarm[corrupt]{targets: everyHost, lasts: "5s..60s", parameters: func(rng *rand.Rand) corrupt {
			return corrupt{Share: percents(rng, 1, 50)}
		}},
		begin: func(i *injection, p corrupt) error {
			return i.degrade(i.everybody(), world.Link{Corrupt: p.Share.Fraction()}, true, true)
		},
		end: func(i *injection, _ corrupt) error { return i.restore() },
		counts: func(e world.Effect) world.Effect {
			return world.Effect{MessagesCorrupted: e.MessagesCorrupted, ConnectionsReset: e.ConnectionsReset}
		},
	})
}
