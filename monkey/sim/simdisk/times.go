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

// take lets the time of an operation pass. The mount is locked.
func (m *Mount) take(d latency.Distribution) {
	if !d.IsZero() && !m.detached {
		m.times.Pass(d.Draw(m.times.Rand))
	}
}
