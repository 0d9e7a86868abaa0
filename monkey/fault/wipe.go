// SPDX-License-Identifier: Apache-2.0

package fault

import "github.com/drumbeat-raft/drumbeat/scenarios"

func init() {
	register(kind[none]{
		name:   "wipe",
		doc:    "The host stops at once and loses its disk. When the fault ends it comes back empty, as another host at the same address.",
		colour: "#8a3b3b",
		effect: "processes_ended bytes_lost files_lost",
		class:  scenarios.OfDisk,
		needs:  scenarios.CanWipe,
		down:   true, losesDisk: true,
		swarm: swarm[none]{targets: []string{"nodehost"}, lasts: "5s..60s"},
		begin: func(i *injection, _ none) error { return i.endProcesses(i.world.Wipe) },
	})
}
