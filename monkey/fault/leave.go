// SPDX-License-Identifier: Apache-2.0

package fault

import "github.com/drumbeat-raft/drumbeat/scenarios"

func init() {
	register(kind[none]{
		name:   "leave",
		doc:    "The host leaves the fleet in good order: Drummer is asked to drain it, again while others have no room for its members, and when the fault ends its processes are stopped for good. A host that is not empty by then may carry members again, and stays.",
		colour: "#52607a",
		effect: "processes_ended",
		class:  scenarios.OfFleet,
		needs:  scenarios.CanOperate,
		validate: func(s *scenarios.Scenario, f *scenarios.Fault, _ none, report func(key, format string, args ...any)) {
			needsDrummer(s, "leave", report)
			needsNodeHost(f, report)
		},
		sparesPeers: func(none) bool { return true },
		begin:       func(i *injection, _ none) error { return i.drain() },
		end: func(i *injection, _ none) error {
			for _, host := range i.hosts {
				if !i.world.Running(host) {
					continue // another fault keeps it down, and its members may come back
				}
				if !i.operations.operator.IsEmpty(host) {
					i.activate(host)
					continue
				}
				effect, err := i.world.Shutdown(host)
				i.effect = i.effect.Add(effect)
				if err != nil {
					return err
				}
				i.gone[host] = true
			}
			return nil
		},
	})
}
