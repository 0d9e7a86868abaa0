// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"time"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

type oldDisk struct {
	Age scenarios.Range `key:"age" required:"true" doc:"How old the copy is when the disk is set back to it, such as 1m or 30s..2m, from 20s on; drawn once for each fault. The rest of 'for' the host is down."`
}

// youngestCopy is the least age of a copy. One that is younger may be taken for the disk
// itself, as the generations that agents write say nothing of the time between two.
const youngestCopy = 20 * time.Second

func init() {
	register(kind[oldDisk]{
		name:   "old-disk",
		doc:    "A copy of the host's disk is made when the fault begins. Later the host's processes are killed and its disk is set back to the copy, as when a backup or a snapshot of a virtual machine is restored; when the fault ends it starts again. The nodes on it have forgotten what they acknowledged since: Drummer has to notice, and to replace them.",
		class:  scenarios.OfDisk,
		colour: "#6b4f7a",
		effect: "disks_set_back processes_ended",
		needs:  scenarios.CanRestoreDisk,
		down:   true, losesDisk: true, restarts: true,
		validate: func(_ *scenarios.Scenario, f *scenarios.Fault, p oldDisk, report func(key, format string, args ...any)) {
			if f.Target.OfDrummers() {
				report("target", "found %s, expected a NodeHost: a Drummer server whose disk is an old copy has to be replaced by hand", f.Target)
			}
			if p.Age.Min.D() < youngestCopy {
				report("age", "found %s, expected at least %s: a younger copy may be taken for the disk itself", p.Age, youngestCopy)
			}
			if !f.For.IsZero() && f.For.Min <= p.Age.Max {
				report("age", "found %s, expected less than 'for' (%s), which is the time from the copy to the start on it", p.Age, f.For)
			}
		},
		begin: func(i *injection, p oldDisk) error {
			i.first = p.Age.Min.D()
			for _, h := range i.hosts {
				restore, err := i.world.CopyDisk(h)
				if err != nil {
					return err
				}
				i.strikes = append(i.strikes, func() { i.effect = i.effect.Add(restore()) })
			}
			return nil
		},
		again: func(i *injection, _ oldDisk) (time.Duration, error) { return untilTheEnd, i.strikeNow() },
		end:   func(i *injection, _ oldDisk) error { return i.strikeNow() },
	})
}

// untilTheEnd is for a kind that has nothing more to do before its end.
const untilTheEnd = 365 * 24 * time.Hour

// strikeNow does what the injection has not done yet.
func (i *injection) strikeNow() error {
	for _, strike := range i.strikes {
		strike()
	}
	i.strikes = nil
	return nil
}
