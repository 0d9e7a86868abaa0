// SPDX-License-Identifier: Apache-2.0

package fault

import "github.com/drumbeat-raft/drumbeat/scenarios"

func init() {
	register(kind[none]{
		name:   "stop",
		doc:    "The host's processes are stopped in good order. They start again when the fault ends.",
		class:  scenarios.OfProcess,
		colour: "#c9a227",
		effect: "processes_ended",
		needs:  scenarios.CanShutDown,
		down:   true, forever: true,
		swarm: swarm[none]{targets: everyHost, lasts: "5s..60s"},
		begin: func(i *injection, _ none) error { return i.endProcesses(i.world.Shutdown) },
	})
}
