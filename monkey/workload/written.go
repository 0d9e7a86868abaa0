// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"maps"
	"slices"
	"sync"
)

// written remembers the keys with an acknowledged write that were not read back
// in the end. It is safe for concurrent use.
type written struct {
	mu   sync.Mutex
	keys map[uint64]map[string]bool // by cluster
}

func newWritten() *written { return &written{keys: map[uint64]map[string]bool{}} }

func (w *written) add(cluster uint64, key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.keys[cluster] == nil {
		w.keys[cluster] = map[string]bool{}
	}
	w.keys[cluster][key] = true
}

func (w *written) readBack(cluster uint64, key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.keys[cluster], key)
}

// of lists the keys of a cluster, in order.
func (w *written) of(cluster uint64) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.keys[cluster]))
}
