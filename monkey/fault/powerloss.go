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
		needs:  scenarios.CanPowerLoss,
		down:   true, forever: true,
		together: world.World.PowerLoss,
	})
}
