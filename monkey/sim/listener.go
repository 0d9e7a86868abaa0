// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/lni/dragonboat/v3/raftio"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// eventListener records the Raft events of one process for the world, until the
// process ends.
type eventListener struct {
	host     string
	drummer  bool
	detached atomic.Bool
	leaders  *leaderLog
	moments  *moments
}

func (w *World) listen(h *host) *eventListener {
	return &eventListener{host: h.Name, drummer: h.Role == world.Drummer, leaders: &w.leaders, moments: &w.moments}
}

// detach makes the listener ignore what comes from now on.
func (l *eventListener) detach() { l.detached.Store(true) }

// LeaderUpdated implements raftio.IRaftEventListener.
func (l *eventListener) LeaderUpdated(info raftio.LeaderInfo) {
	if l.detached.Load() {
		return
	}
	cluster := info.ClusterID
	if l.drummer {
		cluster = world.DrummerDB
	}
	if info.LeaderID == info.NodeID {
		kind := scenarios.Elected
		if l.drummer {
			kind = scenarios.DrummerElected
		}
		l.happens(kind, cluster)
	}
	l.leaders.add(world.LeaderChange{
		At: time.Now(), Host: l.host,
		ClusterID: cluster, NodeID: info.NodeID, LeaderID: info.LeaderID, Term: info.Term,
	})
}

// leaderLog collects changes of leaders until somebody takes them.
type leaderLog struct {
	mu      sync.Mutex
	changes []world.LeaderChange
}

func (l *leaderLog) add(c world.LeaderChange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes = append(l.changes, c)
}

func (l *leaderLog) take() []world.LeaderChange {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.changes
	l.changes = nil
	return taken
}
