// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/monkey/sim/simnet"
)

// forDragonboat makes a file system acceptable to Dragonboat, whose Pebble
// log storage takes the operating system's, goutils' own in memory, or an
// ErrorFS, and panics at any other.
//
// The price: Dragonboat takes an ErrorFS for a test of its own and recovers
// from panics in its step workers. Two things keep them from going unnoticed:
// a panic through Dragonboat's logger ends the process there (see
// monkey.logDragonboat), and any other leaves a step worker fewer, which
// Examine counts.
func forDragonboat(fs vfs.FS, host string) vfs.FS {
	return vfs.Wrap(fs, labeller{simnet.Labeller(host)})
}

// labeller is a vfs.Injector of nothing. It gives goroutines that write their
// host's label back: Pebble takes it off when it loads a table, also from a
// goroutine that is not its own.
type labeller struct{ label func() }

func (l labeller) MaybeError(op vfs.Op) error {
	if op == vfs.OpWrite {
		l.label()
	}
	return nil
}
