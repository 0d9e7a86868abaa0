// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type lostFiles struct {
	In string `key:"in" default:"raft" enum:"raft|log|snapshot|record" doc:"Which files: those of Dragonboat's log, of snapshots, the small records beside them; or raft: all that there is but who the NodeHost is."`
}

func init() {
	register(kind[lostFiles]{
		name:   "lost-files",
		doc:    "The host's processes are killed, and files are gone from its disk, as if somebody had removed them. When the fault ends it starts again, as the host that it was. Where it finds that the disk is damaged and does not start, it gets an empty one, as an operator would give it.",
		colour: "#a2573c",
		effect: "files_lost bytes_lost processes_ended disks_refused",
		class:  scenarios.OfDisk,
		needs:  scenarios.CanWipe,
		down:   true, losesDisk: true,
		swarm: swarm[lostFiles]{targets: []string{"nodehost"}, lasts: "5s..60s", parameters: func(rng *rand.Rand) lostFiles {
			return lostFiles{In: []string{"raft", "log", "snapshot", "record"}[rng.IntN(4)]}
		}, bites: func(s *scenarios.Scenario) bool { return s.Deployment.LogDB != scenarios.LogInMemory }},
		validate: func(s *scenarios.Scenario, f *scenarios.Fault, p lostFiles, report func(key, format string, args ...any)) {
			if f.Target.OfDrummers() {
				report("target", "found %s, expected a NodeHost: a Drummer server with a damaged disk has to be replaced by hand", f.Target)
			}
			if p.In == string(world.LogFiles) && s.Deployment.LogDB == scenarios.LogInMemory {
				report("in", "found log with deployment.logdb: memory, expected other files: there are none of the log")
			}
		},
		begin: func(i *injection, p lostFiles) error {
			return i.endProcesses(func(host string) (world.Effect, error) {
				killed, err := i.world.Kill(host)
				if err != nil {
					return killed, err
				}
				gone, err := i.world.Lose(host, world.DiskFiles(p.In))
				return killed.Add(gone), err
			})
		},
		end: func(i *injection, _ lostFiles) error { return i.bootOrReplaceDisk() },
	})
}

// bootOrReplaceDisk boots the hosts, and gives those that refuse their disks empty ones.
func (i *injection) bootOrReplaceDisk() error {
	return i.endProcesses(func(host string) (world.Effect, error) {
		refusal := i.world.Boot(host)
		if refusal == nil {
			return world.Effect{}, nil
		}
		i.log.Add(timeline.DiskRefused{Host: host, Error: refusal.Error()})
		effect, err := i.world.Wipe(host)
		effect.DisksRefused++
		return effect, err
	})
}
