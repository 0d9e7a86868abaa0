// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"time"
)

// SetTicks implements world.Processes. Dragonboat's tick is its RTTMillisecond, which
// it takes when it starts.
func (w *World) SetTicks(name string, speed float64) error {
	h, err := w.host(name)
	if err != nil {
		return err
	}
	if speed <= 0 {
		return fmt.Errorf("ticks of host %s can't be %v times as fast as they should be", name, speed)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ticks = speed
	return nil
}

// Tick implements world.Processes.
func (w *World) Tick() time.Duration { return w.cfg.RTT }

// tickOf is the tick of the process that is booted on a host, in milliseconds.
func (w *World) tickOf(h *host) uint64 {
	tick := float64(w.cfg.RTT / time.Millisecond)
	if h.ticks > 0 {
		tick /= h.ticks
	}
	return max(1, uint64(tick+0.5))
}
