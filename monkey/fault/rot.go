// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type rot struct {
	In   string           `key:"in" default:"any" enum:"any|log|snapshot|record" doc:"In which files: Dragonboat's log, its snapshots, or the small records that say who the NodeHost is and what its disk has held; what on-disk state machines keep is left alone."`
	Bits scenarios.Counts `key:"bits" default:"1" doc:"How many bits, such as 1 or 1..20."`
}

func init() {
	register(kind[rot]{
		name:   "rot",
		doc:    "The host's processes are killed, and bits flip in files on its disk. When the fault ends it starts again. Where it finds that the disk is damaged and does not start, it gets an empty one, as an operator would give it; where a single replica is damaged, Drummer has to replace that.",
		colour: "#9a6b2f",
		effect: "bits_flipped disks_refused processes_ended bytes_lost files_lost",
		class:  scenarios.OfDisk,
		needs:  scenarios.CanRot,
		down:   true, losesDisk: true,
		swarm: swarm[rot]{targets: []string{"nodehost"}, lasts: "5s..60s", parameters: func(rng *rand.Rand) rot {
			return rot{In: []string{"any", "log", "snapshot", "record"}[rng.IntN(4)], Bits: counts(rng, 1, 8)}
		}, bites: func(s *scenarios.Scenario) bool { return s.Deployment.LogDB != scenarios.LogInMemory }},
		validate: func(s *scenarios.Scenario, f *scenarios.Fault, p rot, report func(key, format string, args ...any)) {
			if f.Target.OfDrummers() {
				report("target", "found %s, expected a NodeHost: a Drummer server with a damaged disk has to be replaced by hand", f.Target)
			}
			if p.In == string(world.LogFiles) && s.Deployment.LogDB == scenarios.LogInMemory {
				report("in", "found log with deployment.logdb: memory, expected other files: there are none of the log")
			}
		},
		begin: func(i *injection, p rot) error {
			return i.endProcesses(func(host string) (world.Effect, error) {
				killed, err := i.world.Kill(host)
				if err != nil {
					return killed, err
				}
				rotten, err := i.world.Rot(host, world.DiskFiles(p.In), p.Bits.Min, i.rng)
				return killed.Add(rotten), err
			})
		},
		end: func(i *injection, _ rot) error { return i.bootOrReplaceDisk() },
	})
}
