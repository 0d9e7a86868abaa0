// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/sim/simdisk"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// diskErrorLimit is how long a disk error waits for an operation that fails.
const diskErrorLimit = 2 * time.Second

var diskOps = map[world.DiskOperation]simdisk.Op{
	world.DiskRead: simdisk.OpRead, world.DiskWrite: simdisk.OpWrite, world.DiskSync: simdisk.OpSync,
}

// diskError is one that waits for its operation.
type diskError struct {
	host   *host
	victim process
	failed chan simdisk.Effect // once
}

// DiskError implements world.Processes.
func (w *World) DiskError(operation world.DiskOperation, names ...string) ([]world.Effect, error) {
	errors := make([]*diskError, len(names))
	for i, name := range names {
		h, err := w.host(name)
		if err != nil {
			return nil, err
		}
		errors[i] = &diskError{host: h, victim: h.running(), failed: make(chan simdisk.Effect, 1)}
	}
	for _, e := range errors {
		e.arm(w, operation)
	}
	limit := time.NewTimer(diskErrorLimit)
	defer limit.Stop()
	effects := make([]world.Effect, len(names))
	for i, e := range errors {
		effects[i] = e.await(w, limit.C)
	}
	return effects, nil
}

func (e *diskError) arm(w *World, operation world.DiskOperation) {
	if e.victim == nil {
		return
	}
	e.host.disk.FailNext(diskOps[operation], w.newTorn(), func(lost simdisk.Effect) {
		w.net.Down(e.host.Name, true)
		e.victim.detach()
		e.failed <- lost
	})
}

// await retires the process when its operation has failed, and returns what that
// did. When the time is up nothing fails any more.
func (e *diskError) await(w *World, limit <-chan time.Time) world.Effect {
	if e.victim == nil {
		return world.Effect{}
	}
	var what simdisk.Effect
	select {
	case what = <-e.failed:
	case <-limit:
		e.host.disk.FailNext(-1, nil, nil)
		select {
		case what = <-e.failed:
		default:
			return world.Effect{}
		}
	}
	e.host.mu.Lock()
	defer e.host.mu.Unlock()
	effect := lost(what)
	effect.DiskErrors = 1
	return w.retire(e.host, e.victim, effect)
}

// newTorn makes the source that draws what survives of what was not synced.
func (w *World) newTorn() *rand.Rand {
	w.mu.Lock()
	defer w.mu.Unlock()
	return rand.New(rand.NewPCG(w.torn.Uint64(), w.torn.Uint64()))
}

// Rot implements world.Processes.
func (w *World) Rot(name string, in world.DiskFiles, bits int, rng *rand.Rand) (world.Effect, error) {
	h, err := w.host(name)
	if err != nil {
		return world.Effect{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.disk.Rot(bits, rng, func(file string) bool {
		part := partOf(file)
		return part != "" && (in == world.AllFiles || in == part)
	})
	return world.Effect{BitsFlipped: int64(n)}, nil
}

// Lose implements world.Processes.
func (w *World) Lose(name string, in world.DiskFiles) (world.Effect, error) {
	h, err := w.host(name)
	if err != nil {
		return world.Effect{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	w.safety.Lost(name)
	return lost(h.disk.Lose(func(file string) bool {
		return partOf(file) == in || in == world.RaftFiles && !slices.Contains(identityFiles, path.Base(file))
	})), nil
}

// identityFiles say who a NodeHost is.
var identityFiles = []string{"NODEHOST.ID", "dragonboat.ds"}

// CopyDisk implements world.Processes.
func (w *World) CopyDisk(name string) (restore func() world.Effect, err error) {
	h, err := w.host(name)
	if err != nil {
		return nil, err
	}
	c := h.disk.Copy()
	return func() world.Effect {
		return w.end(h, true, func(d *simdisk.Disk) world.Effect {
			d.Restore(c)
			return world.Effect{DisksSetBack: 1}
		})
	}, nil
}

// partOf says what a file on a NodeHost's disk belongs to; nothing, if it is an on-disk
// state machine's own: only that can tell whether it is damaged, and when it does
// Dragonboat panics.
func partOf(file string) world.DiskFiles {
	switch {
	case strings.HasPrefix(file, dataDir+"/"):
		return ""
	case strings.Contains(file, "/snapshot"):
		return world.SnapshotFiles
	case strings.Contains(file, "/logdb"):
		return world.LogFiles
	}
	return world.RecordFiles
}

// SlowDisk implements world.Processes.
func (w *World) SlowDisk(name string, least, most time.Duration) error {
	h, err := w.host(name)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.slowLeast, h.slowMost = least, most
	if h.process != nil {
		h.fs.SetSlow(least, most)
	}
	return nil
}

// syncsSlowed counts the syncs of hosts that SlowDisk made longer.
func (w *World) syncsSlowed(names []string) (n int64) {
	for _, name := range names {
		if h := w.byName[name]; h != nil {
			h.mu.Lock()
			n += h.slowed
			if h.fs != nil {
				n += h.fs.Slowed()
			}
			h.mu.Unlock()
		}
	}
	return n
}
