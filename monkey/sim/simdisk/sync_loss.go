// SPDX-License-Identifier: Apache-2.0

package simdisk

import "math/rand/v2"

// syncLoss is a power loss that waits for a Sync.
type syncLoss struct {
	syncs  int // until it comes
	torn   *rand.Rand
	onLoss func(Effect)
}

// PowerLossAtSync arms a power loss that comes at the n-th Sync from now (1 is
// the next one) that has something to make durable, just before it does so.
// A Sync returns at once, also where it takes time (see Times), so that a power
// loss at a time of the clock almost never finds anything that was not synced;
// this one always does.
//
// The disk is gone for the process from that instant. onLoss runs in the same
// instant, on the goroutine that called Sync and with the disk locked, so that
// nothing which waited for this or another Sync can go on before it returns:
// onLoss must take away everything else, such as the host's network. It must
// not use the disk, must not block, and must not take a lock that is held
// anywhere while the disk is called.
//
// The result reports whether the disk is mounted, so that it can happen at all.
// Arming again replaces what was armed; n = 0 disarms. The next mount starts
// disarmed.
func (d *Disk) PowerLossAtSync(n int, torn *rand.Rand, onLoss func(Effect)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mounted == nil {
		return false
	}
	var armed *syncLoss
	if n > 0 {
		armed = &syncLoss{n, torn, onLoss}
	}
	d.mounted.syncLoss.Store(armed)
	return true
}

// beforeSync counts down a Sync of n if a power loss waits for one and, at the
// last one, takes the disk away. The caller holds no lock.
func (m *Mount) beforeSync(n *node) {
	if m.syncLoss.Load() == nil { // most of the time: the disk need not be locked
		return
	}
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	armed := m.syncLoss.Load() // it may have struck, or be another one, by now
	if armed == nil || m.detached || !n.dirty() {
		return
	}
	if armed.syncs--; armed.syncs > 0 {
		return
	}
	m.syncLoss.Store(nil)
	armed.onLoss(m.disk.takeLocked(lose(armed.torn)))
}

func (n *node) dirty() bool {
	if n.file != nil {
		return n.file.dirty()
	}
	return len(n.dir.pending) > 0
}
