// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type slowDisk struct {
	Most  time.Duration `key:"most" required:"true" min:"1ms" max:"10m" doc:"No sync takes longer by more than this, such as 2s."`
	Least time.Duration `key:"least" optional:"true" max:"10m" doc:"No sync takes longer by less than this. Equal to most and as long as the fault: the disk stalls."`
}

func init() {
	register(kind[slowDisk]{
		name:    "slow-disk",
		doc:     "Each sync that has something to make durable takes longer. Meanwhile nothing that the host sends leaves it.",
		class:   scenarios.OfDisk,
		hampers: true,
		colour:  "#7f8f3f",
		effect:  "syncs_slowed",
		needs:   scenarios.CanSlowDisk,
		swarm: swarm[slowDisk]{targets: everyHost, lasts: "5s..60s", parameters: func(rng *rand.Rand) slowDisk {
			r := lengths(rng, 10*time.Millisecond, 5*time.Second)
			return slowDisk{Least: r.Min.D(), Most: r.Max.D()}
		}},
		validate: func(_ *scenarios.Scenario, _ *scenarios.Fault, p slowDisk, report func(key, format string, args ...any)) {
			if p.Least > p.Most {
				report("least", "found %s, expected at most 'most' (%s)", p.Least, p.Most)
			}
		},
		begin:  func(i *injection, p slowDisk) error { return i.slowDisks(p.Least, p.Most) },
		end:    func(i *injection, _ slowDisk) error { return i.slowDisks(0, 0) },
		counts: func(e world.Effect) world.Effect { return world.Effect{SyncsSlowed: e.SyncsSlowed} },
	})
}

func (i *injection) slowDisks(least, most time.Duration) error {
	for _, h := range i.hosts {
		if err := i.world.SlowDisk(h, least, most); err != nil {
			return err
		}
	}
	return nil
}
