// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lni/dragonboat/v3/raftio"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// momentsWaiting is how many moments may wait to be taken. Whoever watches takes
// them at once.
const momentsWaiting = 1024

// moments passes on what Dragonboat and Drummer do, once somebody watches.
type moments struct {
	mu   sync.Mutex
	want map[scenarios.Moment]bool
	to   chan world.Moment
}

// Watch implements world.World.
func (w *World) Watch(kinds ...scenarios.Moment) <-chan world.Moment {
	m := &w.moments
	m.mu.Lock()
	defer m.mu.Unlock()
	m.want = map[scenarios.Moment]bool{}
	for _, k := range kinds {
		m.want[k] = true
	}
	m.to = make(chan world.Moment, momentsWaiting)
	return m.to
}

// pass passes a moment on to whoever watches. It does not block.
func (m *moments) pass(of world.Moment) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.want[of.Kind] {
		return
	}
	select {
	case m.to <- of:
	default:
	}
}

// happens passes on what the process does, unless it has ended.
func (l *eventListener) happens(kind scenarios.Moment, cluster uint64) {
	if !l.detached.Load() {
		l.moments.pass(world.Moment{Kind: kind, At: time.Now(), Host: l.host, Cluster: cluster})
	}
}

// onRequest tells of the steps of repairs.
func (l *eventListener) onRequest(req *pb.Request, result *pb.RequestResult) {
	switch kind := req.GetKind(); {
	case result != nil && result.GetCode() == pb.ResultCode_DONE && kind != pb.RequestKind_TRANSFER_LEADER:
		l.happens(scenarios.RepairStep, req.GetClusterId())
	case result == nil && (kind == pb.RequestKind_ADD_OBSERVER || kind == pb.RequestKind_PROMOTE || kind == pb.RequestKind_REMOVE_NODE):
		l.happens(scenarios.MembershipChanging, req.GetClusterId())
	}
}

// filesMade returns who is told of the files that a host's process makes, and passes
// on which of them are of snapshots, and tables. Dragonboat writes a snapshot, its own
// or one that it receives, to a directory for what is not complete.
func (w *World) filesMade(h *host) func(name string) {
	return func(name string) {
		if strings.HasSuffix(name, ".sst") {
			w.moments.pass(world.Moment{Kind: scenarios.TableWriting, At: time.Now(), Host: h.Name})
			return
		}
		if !strings.HasSuffix(name, ".gbsnap") || !strings.Contains(name, ".generating/") && !strings.Contains(name, ".receiving/") {
			return
		}
		cluster := world.DrummerDB
		if !h.drums() {
			cluster = clusterOf(name)
		}
		w.moments.pass(world.Moment{Kind: scenarios.SnapshotSaving, At: time.Now(), Host: h.Name, Cluster: cluster})
	}
}

// clusterOf reads the ClusterID from the path of a file of a snapshot, which is in a
// directory such as snapshot-part-…/snapshot-12-3; 0 if there is none.
func clusterOf(name string) uint64 {
	for _, dir := range strings.Split(name, "/") {
		var cluster, node uint64
		if n, err := fmt.Sscanf(dir, "snapshot-%d-%d", &cluster, &node); n == 2 && err == nil && dir == fmt.Sprintf("snapshot-%d-%d", cluster, node) {
			return cluster
		}
	}
	return 0
}

// The events of raftio.ISystemEventListener that are moments.

func (l *eventListener) MembershipChanged(i raftio.NodeInfo) {
	l.happens(scenarios.MembershipChanged, i.ClusterID)
}

func (l *eventListener) SendSnapshotStarted(i raftio.SnapshotInfo) {
	l.happens(scenarios.SnapshotSending, i.ClusterID)
}

func (l *eventListener) SendSnapshotCompleted(i raftio.SnapshotInfo) {
	l.happens(scenarios.SnapshotSent, i.ClusterID)
}

func (l *eventListener) SnapshotReceived(i raftio.SnapshotInfo) {
	l.happens(scenarios.SnapshotReceived, i.ClusterID)
}

func (l *eventListener) SnapshotRecovered(i raftio.SnapshotInfo) {
	l.happens(scenarios.SnapshotRecovered, i.ClusterID)
}

func (l *eventListener) SnapshotCreated(i raftio.SnapshotInfo) {
	l.happens(scenarios.SnapshotSaved, i.ClusterID)
}

func (l *eventListener) LogCompacted(i raftio.EntryInfo) {
	l.happens(scenarios.LogCompacted, i.ClusterID)
}

// The rest of raftio.ISystemEventListener: nothing strikes then.

func (*eventListener) NodeHostShuttingDown()                       {}
func (*eventListener) NodeUnloaded(raftio.NodeInfo)                {}
func (*eventListener) NodeReady(raftio.NodeInfo)                   {}
func (*eventListener) ConnectionEstablished(raftio.ConnectionInfo) {}
func (*eventListener) ConnectionFailed(raftio.ConnectionInfo)      {}
func (*eventListener) SendSnapshotAborted(raftio.SnapshotInfo)     {}
func (*eventListener) SnapshotCompacted(raftio.SnapshotInfo)       {}
func (*eventListener) LogDBCompacted(raftio.EntryInfo)             {}
