// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"math/rand/v2"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/sim/simdisk"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

const (
	// tripWithin is how long a power loss waits for a moment when it hurts.
	tripWithin = 500 * time.Millisecond
	// maxTripSyncs bounds the number of syncs after which it comes.
	maxTripSyncs = 8
)

// PowerLoss implements world.Processes. In virtual time I/O takes no time, so
// that at an instant of the clock hardly anything is ever unsynced. The power
// therefore fails in the middle of a Sync, one of the next few that have
// something to make durable; or after tripWithin if there are none. Some of
// what was not synced may survive, as on real disks.
func (w *World) PowerLoss(name string) (world.Effect, error) {
	h, err := w.host(name)
	if err != nil {
		return world.Effect{}, err
	}
	torn, syncs := w.drawPowerLoss()
	victim := h.running()
	if victim == nil {
		return lost(h.disk.PowerLoss(torn)), nil
	}
	tripped := make(chan simdisk.Effect, 1)
	h.disk.TripAtSync(syncs, torn, func(e simdisk.Effect) {
		w.net.Down(name, false)
		victim.mute()
		tripped <- e
	})
	if e, ok := wait(tripped); ok {
		return w.buried(h, victim, e), nil
	}
	h.disk.TripAtSync(0, nil, nil)
	select {
	case e := <-tripped: // in the last moment
		return w.buried(h, victim, e), nil
	default:
	}
	return w.end(name, false, func(d *simdisk.Disk) world.Effect { return lost(d.PowerLoss(torn)) })
}

func (w *World) drawPowerLoss() (torn *rand.Rand, syncs int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return rand.New(rand.NewPCG(w.torn.Uint64(), w.torn.Uint64())), 1 + w.torn.IntN(maxTripSyncs)
}

func wait(tripped <-chan simdisk.Effect) (simdisk.Effect, bool) {
	timer := time.NewTimer(tripWithin)
	defer timer.Stop()
	select {
	case e := <-tripped:
		return e, true
	case <-timer.C:
		return simdisk.Effect{}, false
	}
}

// buried takes a process off its host whose disk and network are gone already.
func (w *World) buried(h *host, ghost process, e simdisk.Effect) world.Effect {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.process = nil
	w.ghosts.Go(ghost.stop)
	effect := lost(e)
	effect.ProcessesEnded = 1
	return effect
}
