// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"math/rand/v2"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/latency"
)

// Times says how long a disk takes. The zero value is a disk that takes no time.
type Times struct {
	Sync  latency.Distribution // for a Sync that has something to make durable
	Write latency.Distribution // for a write to a file
	// SlowLeast to SlowMost is what such a Sync takes longer, uniformly; 0: nothing.
	SlowLeast, SlowMost time.Duration
	// Rand draws the times.
	Rand *rand.Rand
	// Pass is told each time, at its beginning: the call that takes it returns at
	// once, so Pass must keep what the process does meanwhile from being seen by
	// others until the time is over. It is called with the mount locked.
	Pass func(time.Duration)
}

// SetTimes makes what the mount does from now on take time.
func (m *Mount) SetTimes(t Times) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.times = t
}

// takeSync lets the time of a sync pass that has something to make durable. The
// mount is locked.
func (m *Mount) takeSync() {
	m.take(m.times.Sync)
	if t := m.times; t.SlowMost > 0 && !m.detached {
		m.slowed++
		m.times.Pass(t.SlowLeast + time.Duration(t.Rand.Int64N(int64(t.SlowMost-t.SlowLeast)+1)))
	}
}

// SetSlow changes what syncs take longer from now on.
func (m *Mount) SetSlow(least, most time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.times.SlowLeast, m.times.SlowMost = least, most
}

// Slowed counts the syncs that took longer because of SlowMost.
func (m *Mount) Slowed() int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.slowed
}

// take lets the time of an operation pass. The mount is locked.
func (m *Mount) take(d latency.Distribution) {
	if !d.IsZero() && !m.detached {
		m.times.Pass(d.Draw(m.times.Rand))
	}
}
