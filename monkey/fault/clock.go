// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type clock struct {
	Percent scenarios.Counts `key:"percent" default:"100" doc:"How fast Dragonboat's ticks are, in percent of how fast they should be, such as 50 or 40..250."`
	Burst   scenarios.Counts `key:"burst" default:"1" doc:"How many ticks come at once, such as 10 or 2..20: none for as many ticks, and then all of them."`
}

// largestBurst keeps bursts within a time that requests wait for.
const largestBurst = 100

func init() {
	register(kind[clock]{
		name:    "clock",
		doc:     "Dragonboat's ticks on the host are too fast or too slow, and with them its timeouts for elections and requests; or they come in bursts, as on a machine that is short of processors. The process is started anew at the beginning and at the end, because Dragonboat takes its tick when it starts.",
		class:   scenarios.OfTime,
		hampers: true,
		colour:  "#d0a040",
		effect:  "ticks_off ticks_held processes_ended",
		needs:   scenarios.CanSetTicks,
		down:    true, restarts: true,
		swarm: swarm[clock]{targets: everyHost, lasts: "20s..2m", parameters: func(rng *rand.Rand) clock {
			c := clock{Percent: counts(rng, 40, 250), Burst: scenarios.Counts{Min: 1, Max: 1}}
			if rng.IntN(2) == 0 {
				c.Burst = counts(rng, 2, 20)
			}
			return c
		}},
		validate: func(_ *scenarios.Scenario, _ *scenarios.Fault, p clock, report func(key, format string, args ...any)) {
			if p.Burst.Max > largestBurst {
				report("burst", "found %s, expected at most %d", p.Burst, largestBurst)
			}
			if as := (scenarios.Counts{Min: 100, Max: 100}); p.Percent == as && p.Burst.Max == 1 {
				report("percent", "found %s and no burst, expected something else: these ticks are as they should be", p.Percent)
			}
		},
		begin: func(i *injection, p clock) error {
			return i.restartWithTicks(world.Ticks{Speed: float64(p.Percent.Min) / 100, Burst: p.Burst.Min})
		},
		end: func(i *injection, _ clock) error {
			for _, h := range i.hosts {
				i.effect.TicksOff += i.ticksOff(h)
			}
			return i.restartWithTicks(world.Ticks{Speed: 1, Burst: 1})
		},
		counts: func(e world.Effect) world.Effect { return world.Effect{TicksHeld: e.TicksHeld} },
	})
}

// restartWithTicks starts the processes of the injection's hosts anew, with other
// ticks.
func (i *injection) restartWithTicks(ticks world.Ticks) error {
	i.began = time.Now()
	for _, h := range i.hosts {
		if err := i.world.SetTicks(h, ticks); err != nil {
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
