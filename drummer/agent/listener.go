// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"fmt"
	"sync"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
)

// Listener hears a NodeHost's Raft and system events. It is made before the
// NodeHost and set as both RaftEventListener and SystemEventListener of its
// configuration, then given to the agent. It never blocks Dragonboat's event
// goroutine.
type Listener struct {
	raftio.ISystemEventListener // the application's own, or one that ignores

	raft raftio.IRaftEventListener
	wake chan struct{} // capacity 1: something changed

	mu      sync.Mutex
	leaders map[uint64]raftio.LeaderInfo // by ClusterID
}

// NewListener returns a listener that passes each event on to the
// application's own listeners; either may be nil.
func NewListener(raft raftio.IRaftEventListener, system raftio.ISystemEventListener) *Listener {
	if system == nil {
		system = ignore{}
	}
	return &Listener{
		ISystemEventListener: system,
		raft:                 raft,
		wake:                 make(chan struct{}, 1),
		leaders:              make(map[uint64]raftio.LeaderInfo),
	}
}

// check refuses the configuration of a NodeHost that does not tell this listener what
// happens. A listener of the application's own that it has may pass events on.
func (l *Listener) check(nodehost config.NodeHostConfig) error {
	return errors.Join(
		l.checkField("RaftEventListener", nodehost.RaftAddress, nodehost.RaftEventListener),
		l.checkField("SystemEventListener", nodehost.RaftAddress, nodehost.SystemEventListener))
}

func (l *Listener) checkField(field, raftAddress string, has any) error {
	other, ours := has.(*Listener)
	switch {
	case has == nil || ours && other == nil:
		return fmt.Errorf("the configuration of the NodeHost at %s has no %s; set it to the agent's Listener before the NodeHost is started", raftAddress, field)
	case ours && other != l:
		return fmt.Errorf("the %s of the NodeHost at %s is another Listener than the agent's; give both the same one", field, raftAddress)
	}
	return nil
}

// LeaderUpdated remembers a cluster's leader and term.
func (l *Listener) LeaderUpdated(info raftio.LeaderInfo) {
	l.mu.Lock()
	l.leaders[info.ClusterID] = info
	l.mu.Unlock()
	l.notify()
	if l.raft != nil {
		l.raft.LeaderUpdated(info)
	}
}

// NodeReady wakes the agent: a node can be used.
func (l *Listener) NodeReady(info raftio.NodeInfo) {
	l.notify()
	l.ISystemEventListener.NodeReady(info)
}

// NodeUnloaded wakes the agent: a node has stopped. What it followed is kept: the
// node may have been started again meanwhile, and Dragonboat doesn't say in which
// order this event and those of its new life come. Without its term Drummer would
// not count on the node until the next election.
func (l *Listener) NodeUnloaded(info raftio.NodeInfo) {
	l.notify()
	l.ISystemEventListener.NodeUnloaded(info)
}

// MembershipChanged wakes the agent: a cluster has a new ccid.
func (l *Listener) MembershipChanged(info raftio.NodeInfo) {
	l.notify()
	l.ISystemEventListener.MembershipChanged(info)
}

// leader returns the newest leader that node nodeID of the cluster follows.
func (l *Listener) leader(clusterID, nodeID uint64) (raftio.LeaderInfo, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	info, ok := l.leaders[clusterID]
	return info, ok && info.NodeID == nodeID
}

func (l *Listener) notify() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// ignore is a system event listener that does nothing.
type ignore struct{}

func (ignore) NodeHostShuttingDown()                       {}
func (ignore) NodeUnloaded(raftio.NodeInfo)                {}
func (ignore) NodeReady(raftio.NodeInfo)                   {}
func (ignore) MembershipChanged(raftio.NodeInfo)           {}
func (ignore) ConnectionEstablished(raftio.ConnectionInfo) {}
func (ignore) ConnectionFailed(raftio.ConnectionInfo)      {}
func (ignore) SendSnapshotStarted(raftio.SnapshotInfo)     {}
func (ignore) SendSnapshotCompleted(raftio.SnapshotInfo)   {}
func (ignore) SendSnapshotAborted(raftio.SnapshotInfo)     {}
func (ignore) SnapshotReceived(raftio.SnapshotInfo)        {}
func (ignore) SnapshotRecovered(raftio.SnapshotInfo)       {}
func (ignore) SnapshotCreated(raftio.SnapshotInfo)         {}
func (ignore) SnapshotCompacted(raftio.SnapshotInfo)       {}
func (ignore) LogCompacted(raftio.EntryInfo)               {}
func (ignore) LogDBCompacted(raftio.EntryInfo)             {}
