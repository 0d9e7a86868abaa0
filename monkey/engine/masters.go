// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"sync"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// mastersEvery is the time between two comparisons of Drummer's servers. What differs
// once goes on to differ, unless the server restarts on an older snapshot.
const mastersEvery = 15 * time.Second

// masters compares the states that Drummer's servers hold of DrummerDB.
type masters struct {
	mu sync.Mutex
	// differed are those of the first index at which two were seen to differ.
	differed []invariant.Digest
}

// watch compares until ctx ends.
func (m *masters) watch(ctx context.Context, w world.World) {
	for sleep(ctx, mastersEvery) {
		m.look(w)
	}
}

// look compares the servers that are at the same index as another one, and returns
// their digests.
func (m *masters) look(w world.World) []invariant.Digest {
	states := w.DrummerStates()
	at := map[uint64]int{}
	for _, s := range states {
		at[s.Index]++
	}
	digests, sums := []invariant.Digest{}, map[uint64]string{}
	differ := false
	for _, s := range states {
		if at[s.Index] < 2 {
			continue
		}
		sum := s.Digest()
		digests = append(digests, invariant.Digest{Cluster: world.DrummerDB, Node: s.NodeID, Host: s.Host, Index: s.Index, Sum: sum})
		first, seen := sums[s.Index]
		sums[s.Index], differ = sum, differ || seen && first != sum
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if differ && m.differed == nil {
		m.differed = digests
	}
	return digests
}

// collect records what was seen, and what all servers hold once they are at the
// same index.
func (m *masters) collect(ctx context.Context, r *runner) {
	f := &r.outcome.Facts
	for _, h := range r.w.Hosts() {
		if h.Role == world.Drummer && r.w.Running(h.Name) {
			f.Servers++
		}
	}
	if f.Servers < 2 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	var last []invariant.Digest
	r.wait(ctx, func() bool {
		last = m.look(r.w)
		return len(last) == f.Servers && !scattered(last)
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	f.DrummerDB = append(last, m.differed...)
}

// scattered reports whether any two digests are of different indexes.
func scattered(digests []invariant.Digest) bool {
	for _, d := range digests {
		if d.Index != digests[0].Index {
			return true
		}
	}
	return false
}
