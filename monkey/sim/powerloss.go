// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/sim/simdisk"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

const (
	// powerLossLimit is how long a power loss waits for a disk to be in the middle
	// of a Sync.
	powerLossLimit = 500 * time.Millisecond
	// maxSyncsBefore bounds the number of syncs of a host that a power loss lets
	// pass before.
	maxSyncsBefore = 7
)

// PowerLoss implements world.Processes. A Sync returns at once to who calls it,
// so that at an instant of the clock hardly anything is ever unsynced. The power
// therefore fails in the middle of a Sync of one of the hosts, one of its next
// few that have something to make durable, and takes the others with it at the
// same instant of the clock; or after powerLossLimit if there is none. Some of
// what was not synced may survive, as on real disks.
func (w *World) PowerLoss(names ...string) ([]world.Effect, error) {
	losses := make([]*powerLoss, len(names))
	for i, name := range names {
		h, err := w.host(name)
		if err != nil {
			return nil, err
		}
		if slices.Index(names, name) != i {
			return nil, fmt.Errorf("host %s is to lose its power twice at once", name)
		}
		losses[i] = w.newPowerLoss(h)
	}
	first := make(chan struct{}, 1)
	running := false
	for _, l := range losses {
		running = l.arm(w, first) || running
	}
	if running {
		waitFor(first, powerLossLimit)
	}
	effects := make([]world.Effect, len(losses))
	for i, l := range losses {
		effects[i] = l.strike(w)
	}
	return effects, nil
}

// powerLoss is the loss of power of one host.
type powerLoss struct {
	host    *host
	victim  process    // that ran when it was armed; nil: none
	torn    *rand.Rand // draws what survives of what was not synced
	syncs   int        // it comes at this one of the next syncs
	tripped chan simdisk.Effect
}

func (w *World) newPowerLoss(h *host) *powerLoss {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &powerLoss{
		host: h, victim: h.running(), tripped: make(chan simdisk.Effect, 1),
		torn: rand.New(rand.NewPCG(w.torn.Uint64(), w.torn.Uint64())), syncs: 1 + w.torn.IntN(maxSyncsBefore+1),
	}
}

// arm makes the host lose its power in one of its next syncs, and then say so
// on first. It reports whether a process runs on the host.
func (l *powerLoss) arm(w *World, first chan<- struct{}) bool {
	if l.victim == nil {
		return false
	}
	l.host.disk.PowerLossAtSync(l.syncs, l.torn, func(e simdisk.Effect) {
		w.net.Down(l.host.Name, false)
		l.victim.detach()
		l.tripped <- e
		select {
		case first <- struct{}{}:
		default: // another host was first
		}
	})
	return true
}

// strike takes the power from the host now, unless a Sync did so already, and
// returns what it did.
func (l *powerLoss) strike(w *World) world.Effect {
	if l.victim != nil {
		l.host.disk.PowerLossAtSync(0, nil, nil)
	}
	select {
	case e := <-l.tripped:
		l.host.mu.Lock()
		defer l.host.mu.Unlock()
		return w.retire(l.host, l.victim, lost(e))
	default:
		return w.end(l.host, false, func(d *simdisk.Disk) world.Effect { return lost(d.PowerLoss(l.torn)) })
	}
}

// waitFor waits for c, but no longer than limit.
func waitFor(c <-chan struct{}, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-c:
	case <-timer.C:
	}
}
