// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(kind[none]{
		name:     "majority-ring",
		doc:      "The targets stand in a ring, in a drawn order, and each reaches only its nearest: a majority of them with itself, and no two the same one.",
		class:    scenarios.OfNetwork,
		colour:   "#2f7a8a",
		effect:   "messages_dropped bytes_held connections_reset",
		needs:    scenarios.CanCut,
		cutsOff:  true,
		validate: validateRing,
		begin: func(i *injection, _ none) error {
			ring := i.hosts
			i.rng.Shuffle(len(ring), func(a, b int) { ring[a], ring[b] = ring[b], ring[a] })
			n := len(ring)
			for a := range n {
				for b := range n {
					// With itself a host reaches 2*near + 1 of n, or more.
					if near := (n + 2) / 4; a == b || min((a-b+n)%n, (b-a+n)%n) <= near {
						continue
					}
					if err := i.links.add(i.id, ring[a], ring[b], world.Link{Cut: true}); err != nil {
						return err
					}
				}
			}
			return nil
		},
		end:    func(i *injection, _ none) error { return i.restore() },
		counts: cutOff,
	})
}

func validateRing(_ *scenarios.Scenario, f *scenarios.Fault, _ none, report func(key, format string, args ...any)) {
	switch {
	case f.Target.Amount == (scenarios.Amount{}) && len(f.Target.Hosts()) < 4:
		report("target", "found %s, expected hosts for a ring, such as all nodehost", f.Target)
	case !f.LoseQuorum:
		report("lose_quorum", "found none, expected true: members of a cluster may all stand too far from each other")
	}
}
