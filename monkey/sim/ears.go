// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/lni/dragonboat/v3/raftio"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// ears hear the Raft events of one process for the world, until it dies.
type ears struct {
	host    string
	drummer bool
	muted   atomic.Bool
	diary   *diary
}

func (w *World) listen(h *host) *ears {
	return &ears{host: h.Name, drummer: h.Role == world.Drummer, diary: &w.diary}
}

func (e *ears) mute() { e.muted.Store(true) }

// LeaderUpdated implements raftio.IRaftEventListener.
func (e *ears) LeaderUpdated(info raftio.LeaderInfo) {
	if e.muted.Load() {
		return
	}
	cluster := info.ClusterID
	if e.drummer {
		cluster = world.DrummerDB
	}
	e.diary.add(world.LeaderChange{
		At: time.Now(), Host: e.host,
		ClusterID: cluster, NodeID: info.NodeID, LeaderID: info.LeaderID, Term: info.Term,
	})
}

// diary collects what the world heard since somebody last asked.
type diary struct {
	mu      sync.Mutex
	leaders []world.LeaderChange
}

func (d *diary) add(l world.LeaderChange) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leaders = append(d.leaders, l)
}

func (d *diary) takeLeaders() []world.LeaderChange {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.leaders
	d.leaders = nil
	return l
}
