// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type reset struct {
	Pause scenarios.Range `key:"pause" required:"true" doc:"Time from one reset to the next, such as 1s or 500ms..5s; drawn once for each fault."`
}

func init() {
	register(kind[reset]{
		name:    "reset",
		doc:     "All connections from and to the target are reset again and again; new ones can be made at once.",
		class:   scenarios.OfNetwork,
		hampers: true,
		colour:  "#b0567f",
		effect:  "connections_reset messages_dropped",
		needs:   scenarios.CanReset,
		swarm: swarm[reset]{targets: everyHost, lasts: "5s..60s", parameters: func(rng *rand.Rand) reset {
			return reset{Pause: lengths(rng, 200*time.Millisecond, 10*time.Second)}
		}},
		begin: func(i *injection, p reset) error {
			i.first = p.Pause.Min.D()
			return i.resetConnections()
		},
		again: func(i *injection, p reset) (time.Duration, error) { return p.Pause.Min.D(), i.resetConnections() },
		counts: func(e world.Effect) world.Effect {
			return world.Effect{ConnectionsReset: e.ConnectionsReset, MessagesDropped: e.MessagesDropped}
		},
	})
}

// resetConnections resets those between the injection's hosts and everybody else.
func (i *injection) resetConnections() error {
	for _, h := range i.hosts {
		for _, other := range i.everybody() {
			if err := i.world.ResetConnections(h, other); err != nil {
				return err
			}
		}
	}
	return nil
}
