// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
)

// failing is a disk in memory whose power fails after a number of syncs: whatever is
// written from then on is lost. It is an ErrorFS because Dragonboat takes no others.
type failing struct {
	*vfs.ErrorFS
	mem  *vfs.MemFS
	left atomic.Int64 // the syncs until then
}

func newFailing(t *testing.T) *failing {
	f := &failing{mem: vfs.NewStrictMem()}
	f.ErrorFS = vfs.Wrap(f.mem, f)
	require.NoError(t, f.mem.MkdirAll("/data", 0o755))
	root, err := f.mem.OpenDir("/")
	require.NoError(t, err)
	require.NoError(t, root.Sync())
	f.failAfter(math.MaxInt64)
	return f
}

// failAfter is how many more syncs the power is there for.
func (f *failing) failAfter(syncs int64) { f.left.Store(syncs) }

// MaybeError implements vfs.Injector: a power that fails is no error to who loses it.
func (f *failing) MaybeError(op vfs.Op) error {
	if op == vfs.OpSync && f.left.Add(-1) == -1 {
		f.mem.SetIgnoreSyncs(true)
	}
	return nil
}

// boot is the disk as it is found when the power is back.
func (f *failing) boot() {
	f.mem.SetIgnoreSyncs(true)
	f.mem.ResetToSyncedState()
	f.mem.SetIgnoreSyncs(false)
	f.failAfter(math.MaxInt64)
}

// lodger is an agent on a disk that loses its power, with an application that keeps
// data of its own.
type lodger struct {
	t        *testing.T
	disk     *failing
	nodehost *dragonboat.NodeHost
	agent    *Agent
	made     func() // is called when Dragonboat has a state machine made; may be nil
}

const lodgings = "/data/ledger"

func (l *lodger) start() {
	listener := NewListener(nil, nil)
	conf := testkit.NodeHostConfig("lodger", l.disk.ErrorFS)
	conf.RaftEventListener, conf.SystemEventListener = listener, listener
	nodehost, checker, err := diskcheck.Start(conf, nil)
	require.NoError(l.t, err)
	a, err := New(nodehost, Config{Drummers: []string{"nobody"}, Listener: listener, Disk: checker, Dial: (&testkit.Net{}).Dial,
		Registry: map[string]Application{"kv": {Regular: l.newKV, RemoveData: l.remove}}})
	require.NoError(l.t, err)
	l.nodehost, l.agent = nodehost, a
}

func (l *lodger) newKV(cluster, node uint64) statemachine.IStateMachine {
	if l.made != nil {
		l.made()
	}
	return testkit.NewKV(cluster, node)
}

func (l *lodger) stop() {
	l.agent.Close()
	l.nodehost.Stop()
}

func (l *lodger) remove(cluster, node uint64) error {
	err := l.disk.RemoveAll(path.Join(lodgings, key{cluster, node}.fileName()))
	return errors.Join(err, durable.SyncDir(l.disk, lodgings))
}

// live is a node's life up to its end: it ran, has a log, a snapshot, data of its
// application and a note on how it joined, and runs no more.
func (l *lodger) live(k key) {
	t := l.t
	req := startRequest(k.cluster, k.node, pb.JoinMode_INITIAL)
	req.InitialMembers = map[uint64]string{k.node: l.nodehost.RaftAddress()}
	require.Equal(t, pb.ResultCode_DONE, l.agent.startNode(t.Context(), req).GetCode())
	time.Sleep(5 * time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := l.nodehost.SyncPropose(ctx, l.nodehost.GetNoOPSession(k.cluster), testkit.Put("a", "b"))
	require.NoError(t, err)
	_, err = l.nodehost.SyncRequestSnapshot(ctx, k.cluster, dragonboat.DefaultSnapshotOption)
	require.NoError(t, err)
	require.NoError(t, l.disk.MkdirAll(path.Join(lodgings, k.fileName()), 0o755))
	require.NoError(t, durable.SyncDir(l.disk, "/data"))
	require.NoError(t, durable.SyncDir(l.disk, lodgings))
	require.NoError(t, l.agent.joins.set(k, true))
	require.NoError(t, l.nodehost.StopNode(k.cluster, k.node))
	time.Sleep(time.Second) // Dragonboat's workers let it go
}

// left lists what a node has on the disk.
func (l *lodger) left(k key) []string {
	var left []string
	note := func(what string, is bool) {
		if is {
			left = append(left, what)
		}
	}
	require.True(l.t, l.agent.inventory.reload())
	_, err := l.agent.config.Disk.Log(k.cluster, k.node)
	note("a log", l.nodehost.HasNodeInfo(k.cluster, k.node))
	note("a watermark", err == nil)
	note("a snapshot", len(l.snapshots("/data", k)) > 0)
	_, err = l.disk.Stat(path.Join(lodgings, k.fileName()))
	note("data", err == nil)
	note("how it joined", l.agent.joins.asObserver(k))
	note("what is reported", l.agent.inventory.collect()[k] != nil)
	note("a removal", l.agent.removals.has(k))
	return left
}

// whole is what a node has that nothing was removed of.
var whole = []string{"a log", "a watermark", "a snapshot", "data", "how it joined", "what is reported"}

// snapshots finds a node's below a directory.
func (l *lodger) snapshots(dir string, k key) []string {
	var found []string
	names, err := l.disk.List(dir)
	require.NoError(l.t, err)
	for _, name := range names {
		at := path.Join(dir, name)
		if info, err := l.disk.Stat(at); err != nil || !info.IsDir() {
			continue
		}
		if path.Base(dir) == fmt.Sprintf("snapshot-%d-%d", k.cluster, k.node) {
			found = append(found, at)
		} else {
			found = append(found, l.snapshots(at, k)...)
		}
	}
	return found
}

// At whatever moment of a removal the power fails: when it is back and the agent has
// started, the node is whole, as if nothing had been begun, or nothing is left.
func TestARemovalThatWasBegunIsFinished(t *testing.T) {
	finished, begun := false, false
	for syncs := int64(0); !finished && !t.Failed(); syncs++ {
		t.Run(fmt.Sprintf("the power fails after %d syncs", syncs), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, k := &lodger{t: t, disk: newFailing(t)}, key{1, 1}
				l.start()
				l.live(k)
				require.Equal(t, whole, l.left(k))
				l.disk.failAfter(syncs)
				require.NoError(t, l.agent.removeNode(t.Context(), k))
				finished = l.disk.left.Load() >= 0
				l.disk.failAfter(0)
				l.stop()
				l.disk.boot()
				l.start()
				defer l.stop()
				if left := l.left(k); len(left) > 0 {
					require.Equal(t, whole, left)
					require.False(t, begun, "with fewer syncs the removal had been begun")
				} else {
					begun = true
				}
			})
		})
	}
	require.True(t, begun)
}

// Each step of a removal can be the last one of its process.
func TestARemovalIsFinishedAfterEachOfItsSteps(t *testing.T) {
	for steps := 0; steps < 7; steps++ {
		t.Run(fmt.Sprintf("after %d steps", steps), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, k := &lodger{t: t, disk: newFailing(t)}, key{1, 1}
				l.start()
				l.live(k)
				removal := l.agent.removal(t.Context(), k)
				require.Len(t, removal, 6)
				for _, step := range removal[:min(steps, 6)] {
					require.NoError(t, step.do(), step.what)
				}
				l.stop() // killed, and no power is lost
				l.start()
				defer l.stop()
				if steps == 0 {
					require.Equal(t, whole, l.left(k), "nothing was begun")
				} else {
					require.Empty(t, l.left(k))
				}
			})
		})
	}
}

// A node whose removal was begun is not started from what is left of it, and what is
// left does not survive that somebody wanted it to start.
func TestANodeThatIsBeingRemovedIsNotStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, k := &lodger{t: t, disk: newFailing(t)}, key{1, 1}
		l.start()
		defer func() { l.stop() }()
		l.live(k)
		require.NoError(t, l.agent.removal(t.Context(), k)[0].do())
		result := l.agent.startNode(t.Context(), startRequest(1, 1, pb.JoinMode_INITIAL))
		require.Equal(t, pb.ResultCode_FAILED, result.GetCode(), result.GetDetail())
		require.Contains(t, result.GetDetail(), "had to be removed first")
		require.Empty(t, l.left(k))
		_, runs := l.agent.runningNode(1)
		require.False(t, runs)
	})
}

// What an application does not remove at first goes on to be reported, also after a
// restart and in a full report, until it is asked for again and gone.
func TestWhatIsNotRemovedIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, 1, 1)
		h, k := s.hosts[0], key{1, 1}
		s.startMember(1, h)
		id, held := h.nodehost.ID(), true
		h.removeData = func(uint64, uint64) error {
			if held {
				return errors.New("somebody has a file open")
			}
			return nil
		}
		s.shutdown(h)
		s.boot(h)
		destroy := func() *pb.RequestResult {
			return s.ask(h, &pb.Request{Kind: pb.RequestKind_DESTROY_NODE, ClusterId: 1, NodeId: 1, ClusterDeleted: true})
		}
		result := destroy()
		require.Equal(t, pb.ResultCode_FAILED, result.GetCode())
		require.Contains(t, result.GetDetail(), `the data in application "disk" of node 1 of cluster 1 can't be removed: somebody has a file open`)
		require.NotNil(t, s.drummers[0].report(id, k))
		s.shutdown(h)
		s.boot(h)
		s.until("attached", func() bool { return h.agent.Attached() != "" })
		require.NotNil(t, s.drummers[0].report(id, k), "in a full report")
		held = false
		require.Equal(t, pb.ResultCode_DONE, destroy().GetCode())
		s.until("it is gone", func() bool { return s.drummers[0].report(id, k) == nil })
	})
}

// A node that the disk has lost is reported until it is removed, and then no more.
func TestANodeThatIsLostIsForgottenWithItsData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, k := &lodger{t: t, disk: newFailing(t)}, key{1, 1}
		l.start()
		defer l.stop()
		l.live(k)
		require.NoError(t, l.agent.config.Disk.Lose(k.cluster, k.node))
		require.Equal(t, whole, l.left(k))
		require.NoError(t, l.agent.removeNode(t.Context(), k))
		require.Empty(t, l.left(k))
		require.NoError(t, l.agent.config.Disk.Replica(k.cluster, k.node), "nothing is known of it")
	})
}
