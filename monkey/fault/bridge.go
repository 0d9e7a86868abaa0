// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"slices"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(kind[none]{
		name:    "bridge",
		doc:     "All hosts but the target are split into two groups that do not reach each other; the target and clients reach both.",
		class:   scenarios.OfNetwork,
		colour:  "#33519a",
		effect:  "messages_dropped bytes_held connections_reset",
		needs:   scenarios.CanCut,
		cutsOff: true,
		swarm:   swarm[none]{targets: []string{"nodehost", "nodehost", "drummer"}, lasts: "5s..60s"},
		hosts: func(i *injection, _ none) []string { // the smaller group
			rest := i.others(anyHost)
			i.rng.Shuffle(len(rest), func(a, b int) { rest[a], rest[b] = rest[b], rest[a] })
			return rest[:len(rest)/2]
		},
		begin: func(i *injection, _ none) error {
			beyond := i.others(func(h world.Host) bool { return !slices.Contains(i.targets, h.Name) })
			return i.degrade(beyond, world.Link{Cut: true}, true, true)
		},
		end:    func(i *injection, _ none) error { return i.restore() },
		counts: cutOff,
	})
}
