// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// SetVersion implements world.Processes.
func (w *World) SetVersion(name string, version int) (changed bool, err error) {
	h, err := w.host(name)
	if err != nil {
		return false, err
	}
	if h.Role != world.NodeHost {
		return false, fmt.Errorf("host %s runs no state machine that could be upgraded", name)
	}
	if version < 1 {
		return false, fmt.Errorf("found version %d for host %s, expected at least 1", version, name)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	changed = h.version != version
	h.version = version
	return changed, nil
}

// Version implements world.Processes.
func (w *World) Version(name string) int {
	h := w.byName[name]
	if h == nil {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.version
}

// Upgrades implements world.World.
func (w *World) Upgrades() int {
	n := 0
	for _, h := range w.hosts {
		h.mu.Lock()
		n += h.upgrades
		h.mu.Unlock()
	}
	return n
}

// ran notes of which version the process is that has just been booted. The caller
// holds h.mu.
func (h *host) ran() {
	if h.ranVersion != 0 && h.ranVersion != h.version {
		h.upgrades++
	}
	h.ranVersion = h.version
}
