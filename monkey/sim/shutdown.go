// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// Shutdown implements world.Processes. The process keeps its network and its disk
// until it has stopped: it says goodbye.
func (w *World) Shutdown(name string) (world.Effect, error) {
	h, err := w.host(name)
	if err != nil {
		return world.Effect{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.process
	if p == nil {
		return world.Effect{}, nil
	}
	h.process = nil
	h.goOn()
	over := make(chan struct{})
	h.ending = over
	w.stopping.Go(func() {
		defer close(over)
		h.stop(p)
		p.detach()
		w.net.Down(h.Name, true)
		h.disk.Kill()
	})
	return world.Effect{ProcessesEnded: 1}, nil
}

// awaitShutdown waits until the host's last Shutdown is over.
func (h *host) awaitShutdown() {
	h.mu.Lock()
	over := h.ending
	h.mu.Unlock()
	if over != nil {
		<-over
	}
}
