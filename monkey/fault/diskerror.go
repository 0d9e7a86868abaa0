// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type diskError struct {
	On string `key:"on" default:"write" enum:"read|write|sync|full" doc:"Which operation fails; full: there is no room for a write. After a sync that fails, what was not synced is lost."`
}

func init() {
	register(kind[diskError]{
		name:   "disk-error",
		doc:    "The next operation on the host's disk within two seconds fails. Dragonboat's answer to that is to end the process. It starts again when the fault ends, on a disk that is well.",
		class:  scenarios.OfDisk,
		colour: "#a03a5a",
		effect: "disk_errors processes_ended bytes_lost files_lost",
		needs:  scenarios.CanFailDisk,
		down:   true, waits: true,
		swarm: swarm[diskError]{targets: []string{"nodehost", "cluster-leader"}, lasts: "5s..60s", parameters: func(rng *rand.Rand) diskError {
			return diskError{On: []string{"write", "sync", "full"}[rng.IntN(3)]}
		}},
		begin: func(i *injection, p diskError) error {
			operation := world.DiskOperation(p.On)
			if p.On == "full" {
				operation = world.DiskWrite
			}
			effects, err := i.world.DiskError(operation, i.hosts...)
			for _, e := range effects {
				i.effect = i.effect.Add(e)
			}
			return err
		},
	})
}
