// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"
	"time"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type crashLoop struct {
	Up scenarios.Range `key:"up" required:"true" doc:"How long a process lives before it is killed again, such as 2s or 500ms..5s; drawn once for each fault."`
}

func init() {
	register(kind[crashLoop]{
		name:   "crash-loop",
		doc:    "The host's processes are killed and started again at once, again and again.",
		class:  scenarios.OfProcess,
		colour: "#b5651d",
		effect: "processes_ended",
		needs:  scenarios.CanKill,
		down:   true, restarts: true,
		swarm: swarm[crashLoop]{targets: everyHost, lasts: "10s..60s", parameters: func(rng *rand.Rand) crashLoop {
			return crashLoop{Up: lengths(rng, 200*time.Millisecond, 10*time.Second)}
		}},
		begin: crashAndBoot,
		again: func(i *injection, p crashLoop) (time.Duration, error) { return p.Up.Min.D(), crashAndBoot(i, p) },
	})
}

// crashAndBoot kills the processes of the injection's hosts and boots them.
func crashAndBoot(i *injection, p crashLoop) error {
	i.first = p.Up.Min.D()
	return i.restart()
}
