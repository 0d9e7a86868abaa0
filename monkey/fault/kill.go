// SPDX-License-Identifier: Apache-2.0

package fault

import "github.com/drumbeat-raft/drumbeat/scenarios"

func init() {
	register(kind[none]{
		name:   "kill",
		doc:    "The host's processes end at once, as by SIGKILL; its disk keeps all that was written. It starts again when the fault ends.",
		colour: "#d9822b",
		effect: "processes_ended",
		class:  scenarios.OfProcess,
		needs:  scenarios.CanKill,
		down:   true, forever: true,
		swarm: swarm[none]{targets: everyHost, lasts: "5s..60s"},
		begin: func(i *injection, _ none) error { return i.endProcesses(i.world.Kill) },
	})
}
