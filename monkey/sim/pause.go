// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// Pause implements world.Processes: it holds the goroutines of the host's process. What
// the world itself asks of the process is answered all the same, unless one of them
// holds a lock that it takes.
func (w *World) Pause(name string) (resume func() world.Effect, err error) {
	h, err := w.host(name)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.process
	if p == nil {
		return nil, fmt.Errorf("host %s can't stand still: no process runs there", name)
	}
	if h.pauses == 0 {
		if err := exact.GroupOf(name).Hold(); err != nil {
			return nil, fmt.Errorf("host %s can't stand still: %w", name, err)
		}
	}
	h.pauses++
	return func() world.Effect {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.process != p {
			return world.Effect{}
		}
		effect := world.Effect{GoroutinesHeld: int64(exact.GroupOf(name).Woken())}
		if h.pauses--; h.pauses == 0 {
			exact.GroupOf(name).Release()
		}
		return effect
	}, nil
}

// goOn has the host's process go on, if it stands still. Whoever ends a process calls it
// when network and disk are taken from it, so that it can stop. The caller holds h.mu.
func (h *host) goOn() {
	h.pauses = 0
	exact.GroupOf(h.Name).Release()
}
