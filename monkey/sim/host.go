// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/sim/simdisk"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/simnet"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// host is one machine: a disk, a place in the network, and a process or none.
type host struct {
	world.Host
	number int // from 1, within its role
	disk   *simdisk.Disk
	// changesRefused counts stale membership changes, ticksHeld ticks that came late, in
	// a burst.
	changesRefused, ticksHeld atomic.Int64
	// wiped: its disk is empty, and nothing was started on it.
	wiped atomic.Bool

	mu                  sync.Mutex
	fs                  *simdisk.Mount // of the newest process
	slowLeast, slowMost time.Duration  // of syncs
	slowed              int64          // syncs of processes before the newest one
	ticks               world.Ticks    // of processes to come; zero: as they should be
	bursts              *bursts        // of ticks of the newest process; nil: there are none
	ending              chan struct{}  // closed when the last Shutdown is over; nil: there was none
	process             process        // nil: none runs
	pauses              int            // how many have it stand still
	// boots counts the processes started so far; it makes each one's seed.
	boots uint64
	// version is that of the state machine in processes to come, ranVersion in the newest
	// one; 0: of none. upgrades counts how often it became another one.
	version, ranVersion, upgrades int
}

// process is what runs on a host.
type process interface {
	// detach keeps what the process announces from the world. It is called at the
	// instant at which the process ends.
	detach()
	// stop stops all goroutines of the process.
	stop()
}

// boot starts the host's process on a new mount of its disk.
func (w *World) boot(h *host) error {
	h.awaitShutdown()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.process != nil {
		return fmt.Errorf("host %s can't be booted: its process runs", h.Name)
	}
	h.boots++
	h.wiped.Store(false)
	w.net.Up(h.Name)
	var p process
	var err error
	simnet.OnHost(h.Name, func() { p, err = w.start(h) })
	if err != nil {
		w.net.Down(h.Name, true)
		return fmt.Errorf("the process of host %s does not start: %w", h.Name, err)
	}
	h.process = p
	h.ran()
	if h.bursts != nil {
		h.bursts.nodehost.Store(raftOf(p))
	}
	return nil
}

func (w *World) start(h *host) (process, error) {
	if h.Role == world.Drummer {
		return w.startDrummer(h)
	}
	if w.cfg.Program != nil {
		return w.startProgram(h)
	}
	return w.startNodeHost(h)
}

// end takes the network from a host's process, then its disk by take, and
// retires it. The network goes first: nothing can be acknowledged any more that
// the disk will not remember.
func (w *World) end(h *host, reset bool, take func(*simdisk.Disk) world.Effect) world.Effect {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.process
	if p == nil {
		return take(h.disk)
	}
	w.net.Down(h.Name, reset)
	p.detach()
	return w.retire(h, p, take(h.disk))
}

// retire takes a process off its host, whose network and disk are taken from it
// already, and stops it in the background. It adds the process to the effect.
// The caller holds h.mu.
func (w *World) retire(h *host, p process, effect world.Effect) world.Effect {
	if h.process == p {
		h.process = nil
		h.goOn()
		w.stopping.Go(func() { h.stop(p) })
		effect.ProcessesEnded = 1
	}
	return effect
}

// stopLimit is how long a process may take to stop its goroutines.
const stopLimit = 10 * time.Minute

// stop stops a process of the host. One that does not stop would keep the run from
// ever ending: that is a crash of its own.
func (h *host) stop(p process) {
	late := time.AfterFunc(stopLimit, func() {
		panic(fmt.Sprintf("the process of host %s was told to stop, and has not after %v", h.Name, stopLimit))
	})
	defer late.Stop()
	simnet.OnHost(h.Name, p.stop)
}

// drums reports whether the host is for a Drummer server.
func (h *host) drums() bool { return h.Role == world.Drummer }

// running returns the host's process, nil when there is none.
func (h *host) running() process {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.process
}
