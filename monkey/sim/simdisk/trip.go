// SPDX-License-Identifier: Apache-2.0

package simdisk

import "math/rand/v2"

// trip is a power loss that waits for a moment when it hurts.
type trip struct {
	syncs int
	torn  *rand.Rand
	fire  func(Effect)
}

// TripAtSync arms a power loss that comes at the n-th Sync from now (1 is the
// next one) that has something to make durable, just before it does so. Where
// time is virtual, I/O takes none of it, and a power loss at a time of the
// clock almost never finds anything that was not synced; this one always does.
//
// The disk is gone for the process from that instant. fire runs in the same
// instant, on the goroutine that called Sync and with the disk locked, so that
// nothing which waited for this or another Sync can go on before it returns:
// fire must take away everything else, such as the host's network. It must not
// use the disk, must not block, and must not take a lock that anybody holds
// while he calls the disk.
//
// The result tells whether the disk is mounted, so that it can happen at all.
// Arming again replaces what was armed; n = 0 disarms. The next mount starts
// disarmed.
func (d *Disk) TripAtSync(n int, torn *rand.Rand, fire func(Effect)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mounted == nil {
		return false
	}
	m := d.mounted
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trip = nil
	if n > 0 {
		m.trip = &trip{n, torn, fire}
	}
	return true
}

// spring counts a Sync of n down and, at the last one, takes the disk away. The
// caller holds no lock.
func (m *Mount) spring(n *node) {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.trip
	if t == nil || m.ghost || !n.dirty() {
		return
	}
	if t.syncs--; t.syncs > 0 {
		return
	}
	m.trip = nil
	t.fire(m.disk.takeLocked(lose(t.torn)))
}

func (n *node) dirty() bool {
	if n.file != nil {
		return n.file.dirty()
	}
	return len(n.dir.pending) > 0
}
