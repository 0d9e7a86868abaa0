// SPDX-License-Identifier: Apache-2.0

package server

import (
	"sync"

	"github.com/lni/dragonboat/v3/raftio"
)

// leaderListener hears from Dragonboat who leads DrummerDB's Raft cluster.
type leaderListener struct {
	next    raftio.IRaftEventListener // the embedding application's, or nil
	changed chan struct{}             // capacity 1

	mu     sync.Mutex
	leader uint64
	term   uint64
}

func newLeaderListener(next raftio.IRaftEventListener) *leaderListener {
	return &leaderListener{next: next, changed: make(chan struct{}, 1)}
}

// LeaderUpdated implements raftio.IRaftEventListener.
func (l *leaderListener) LeaderUpdated(info raftio.LeaderInfo) {
	if info.ClusterID == ClusterID {
		l.mu.Lock()
		l.leader, l.term = info.LeaderID, info.Term
		l.mu.Unlock()
		select {
		case l.changed <- struct{}{}:
		default:
		}
	}
	if l.next != nil {
		l.next.LeaderUpdated(info)
	}
}

// current returns the leader's NodeID, 0 when none is known, and the term.
func (l *leaderListener) current() (leader, term uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leader, l.term
}
