// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(kind[none]{
		name:   "power-loss",
		doc:    "The host stops at once and its disk loses what was not synced. It starts again when the fault ends.",
		colour: "#c0392f",
		effect: "processes_ended bytes_lost files_lost",
		class:  scenarios.OfDisk,
		needs:  scenarios.CanPowerLoss,
		down:   true, forever: true,
		swarm:    swarm[none]{targets: everyHost, lasts: "5s..60s"},
		together: world.World.PowerLoss,
	})
}
