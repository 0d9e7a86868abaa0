// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/latency"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// Times says how long the state machines of a host take.
type Times struct {
	Apply    latency.Distribution // for an entry
	Snapshot latency.Distribution // for the image of a snapshot
	// Rand draws the times.
	Rand *rand.Rand
	// Pass is told each time, at its beginning. The call that takes it returns at
	// once: a state machine may not wait for time while Dragonboat holds a
	// sync.Mutex around it, see simnet.Network.Busy.
	Pass func(time.Duration)
}

// Timed returns cores like those of newCore that take time.
func Timed(newCore NewCore, t Times) NewCore {
	if t.Apply.IsZero() && t.Snapshot.IsZero() {
		return newCore
	}
	clock := NewClock(t)
	return func(clusterID, nodeID uint64) Core {
		return &timed{Core: newCore(clusterID, nodeID), clock: clock}
	}
}

// Clock makes a host busy for the time that its state machines take. It is safe
// for concurrent use.
type Clock struct {
	times Times
	mu    sync.Mutex // guards times.Rand
}

// NewClock makes the clock of a host.
func NewClock(t Times) *Clock { return &Clock{times: t} }

// Apply takes the time for an entry.
func (c *Clock) Apply() { c.take(c.times.Apply) }

// Snapshot takes the time for the image of a snapshot.
func (c *Clock) Snapshot() { c.take(c.times.Snapshot) }

func (c *Clock) take(d latency.Distribution) {
	if d.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.times.Pass(d.Draw(c.times.Rand))
}

// timed is a core that takes time.
type timed struct {
	Core
	clock *Clock
}

// Apply implements Core.
func (t *timed) Apply(index uint64, command []byte) kv.Answer {
	t.clock.Apply()
	return t.Core.Apply(index, command)
}

// Image implements Core.
func (t *timed) Image() *kv.Image {
	t.clock.Snapshot()
	return t.Core.Image()
}
