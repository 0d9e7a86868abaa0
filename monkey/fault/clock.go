// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"
	"time"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type clock struct {
	Percent scenarios.Counts `key:"percent" required:"true" doc:"How fast Dragonboat's ticks are, in percent of how fast they should be, such as 50 or 40..250."`
}

func init() {
	register(kind[clock]{
		name:   "clock",
		doc:    "Dragonboat's ticks on the host are too fast or too slow, and with them its timeouts for elections and requests. The process is started anew at the beginning and at the end, because Dragonboat takes its tick when it starts.",
		class:  scenarios.OfTime,
		colour: "#d0a040",
		effect: "ticks_off processes_ended",
		needs:  scenarios.CanSetTicks,
		down:   true, restarts: true,
		swarm: swarm[clock]{targets: everyHost, lasts: "20s..2m", parameters: func(rng *rand.Rand) clock {
			return clock{Percent: counts(rng, 40, 250)}
		}},
		begin: func(i *injection, p clock) error { return i.restartWithTicks(float64(p.Percent.Min) / 100) },
		end: func(i *injection, _ clock) error {
			for _, h := range i.hosts {
				i.effect.TicksOff += i.ticksOff(h)
			}
			return i.restartWithTicks(1)
		},
	})
}

// restartWithTicks starts the processes of the injection's hosts anew, with other
// ticks.
func (i *injection) restartWithTicks(speed float64) error {
	i.began = time.Now()
	for _, h := range i.hosts {
		if err := i.world.SetTicks(h, speed); err != nil {
			return err
		}
	}
	return i.restart()
}

// ticksOff is how many ticks the node on a host that has had the most has had too
// many or too few since the injection began; 0 if none runs.
func (i *injection) ticksOff(host string) int64 {
	nodes, err := i.world.RaftNodes(host)
	if err != nil || len(nodes) == 0 {
		return 0
	}
	had := uint64(0)
	for _, n := range nodes {
		had = max(had, n.Ticks)
	}
	off := int64(had) - int64(time.Since(i.began)/i.world.Tick())
	return max(off, -off)
}
