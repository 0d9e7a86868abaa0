// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(kind[none]{
		name:        "stale-change",
		doc:         "An operator's membership changes reach the target's Raft clusters a second time, or late: once a second they are asked to add and to remove members, by a config change that is not the last one, and to add members again that were removed. Each has to be refused.",
		colour:      "#5b8a3c",
		effect:      "changes_refused",
		class:       scenarios.OfFleet,
		needs:       scenarios.CanStaleChange,
		swarm:       swarm[none]{targets: []string{"nodehost", "cluster-leader"}, lasts: "5s..60s"},
		validate:    validateStaleChange,
		sparesPeers: func(none) bool { return true },
		begin: func(i *injection, _ none) error {
			for _, h := range i.hosts {
				stop, err := i.world.StaleChanges(h)
				if err != nil {
					return err
				}
				i.undo = append(i.undo, stop)
			}
			return nil
		},
		end:    func(i *injection, _ none) error { return i.undoAll() },
		counts: func(e world.Effect) world.Effect { return world.Effect{ChangesRefused: e.ChangesRefused} },
	})
}

func validateStaleChange(s *scenarios.Scenario, f *scenarios.Fault, _ none, report func(key, format string, args ...any)) {
	if f.Target.OfDrummers() {
		report("target", "found %s, expected a NodeHost: Drummer's own membership is not asked for", f.Target)
	}
	if !s.Clusters.OrderedConfigChange {
		report("kind", "found stale-change without clusters.ordered_config_change, expected it with: nothing would be refused")
	}
}
