// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
	pb "github.com/lni/dragonboat/v3/raftpb"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/sim/memlog"
)

// What the harness found in Dragonboat, each in a case as small as it gets;
// docs/findings.md tells what they do to users. A test here asserts that the bug
// is there: when it fails after an update of Dragonboat, the bug is mended.

// gate keeps the chunks that come to a NodeHost waiting, for each sender until it
// is let in.
type gate struct {
	waiting chan uint64 // senders whose chunks wait
	in      [3]chan struct{}
}

func newGate() *gate {
	g := &gate{waiting: make(chan uint64, 100)}
	for i := range g.in {
		g.in[i] = make(chan struct{})
	}
	return g
}

func (g *gate) let(sender uint64) { close(g.in[sender-1]) }

type gatedFactory struct {
	config.TransportFactory
	gate *gate
}

func (f gatedFactory) Create(c config.NodeHostConfig, messages raftio.MessageHandler, chunks raftio.ChunkHandler) raftio.ITransport {
	return f.TransportFactory.Create(c, messages, func(chunk pb.Chunk) bool {
		f.gate.waiting <- chunk.From
		<-f.gate.in[chunk.From-1]
		return chunks(chunk)
	})
}

// beliefs are what a node announced of leaders, in order.
type beliefs struct{ announced chan raftio.LeaderInfo }

func (b *beliefs) LeaderUpdated(i raftio.LeaderInfo) { b.announced <- i }

// last returns the newest announcement that names a leader.
func (b *beliefs) last() (newest raftio.LeaderInfo) {
	for len(b.announced) > 0 {
		if i := <-b.announced; i.LeaderID != 0 {
			newest = i
		}
	}
	return newest
}

// believed returns whom a node takes for the leader.
func (c *trio) believed(by uint64) uint64 {
	id, _, err := c.hosts[by-1].GetLeaderID(raftCluster)
	require.NoError(c.t, err)
	return id
}

// A snapshot that comes in chunks reaches Raft with term 0, which passes for a
// message of the node's own. So a snapshot that is under way while its sender is
// deposed makes its receiver name the deposed node as leader of the present term.
func TestFindingSnapshotOfDeposedLeaderIsTakenForTheLeaders(t *testing.T) {
	var seen [3]*beliefs
	var gates [3]*gate
	prepare := func(id uint64, conf *config.NodeHostConfig) {
		seen[id-1], gates[id-1] = &beliefs{make(chan raftio.LeaderInfo, 1000)}, newGate()
		conf.RaftEventListener = seen[id-1]
		conf.Expert.TransportFactory = gatedFactory{conf.Expert.TransportFactory, gates[id-1]}
	}
	inPreparedTrio(t, prepare, func(t *testing.T, c *trio) {
		leader := c.leader(1, 2, 3)
		next, follower := others(leader)[0], others(leader)[1]
		seen, gate := seen[follower-1], gates[follower-1]
		defer gate.let(next)

		c.net.Isolate(hostName(follower))
		for range 40 { // the log is compacted at 20
			require.NoError(t, c.add(leader, 1))
		}
		time.Sleep(200 * time.Millisecond) // less than an election timeout
		c.net.HealAll()
		select {
		case from := <-gate.waiting:
			require.Equal(t, leader, from)
		case <-time.After(10 * time.Second):
			require.Fail(t, "no snapshot is under way")
		}

		c.net.Isolate(hostName(leader))
		require.Equal(t, next, c.leader(next))
		time.Sleep(time.Second)
		require.Equal(t, next, c.believed(follower))
		before := seen.last()
		require.Equal(t, next, before.LeaderID)

		c.net.CutOneWay(hostName(next), hostName(follower)) // no heartbeat ends it before it is looked at
		time.Sleep(10 * time.Millisecond)                   // what was under way is there
		gate.let(leader)
		time.Sleep(100 * time.Millisecond) // two ticks: some steps wait for one
		require.Equal(t, leader, c.believed(follower), "mended: the deposed node is not named any more")
		require.Equal(t, raftio.LeaderInfo{ClusterID: raftCluster, NodeID: follower, Term: before.Term, LeaderID: leader}, seen.last())

		// What this does to users: what the follower forwards goes to a node that
		// can't commit it, and nobody is told. The next heartbeat ends it.
		nh := c.hosts[follower-1]
		proposal, err := nh.Propose(nh.GetNoOPSession(raftCluster), make([]byte, 8), 5*time.Second)
		require.NoError(t, err)
		time.Sleep(10 * time.Millisecond)
		c.net.Heal(hostName(next), hostName(follower))
		result := <-proposal.AppliedC()
		require.True(t, result.Timeout(), "the proposal was not lost, or somebody was told")
		require.Equal(t, next, c.believed(follower))
	})
}

// early is a transport to which a message comes as soon as it has started.
type early struct {
	raftio.ITransport
	deliver func()
}

func (e early) Start() error {
	err := e.ITransport.Start()
	if err == nil {
		e.deliver()
	}
	return err
}

type earlyFactory struct {
	config.TransportFactory
	panicked any // what the handler of messages did
}

func (f *earlyFactory) Create(c config.NodeHostConfig, messages raftio.MessageHandler, chunks raftio.ChunkHandler) raftio.ITransport {
	deliver := func() {
		defer func() { f.panicked = recover() }()
		messages(pb.MessageBatch{BinVer: raftio.TransportBinVersion, DeploymentId: c.GetDeploymentID()})
	}
	return early{f.TransportFactory.Create(c, messages, chunks), deliver}
}

// The transport of a NodeHost takes messages before what their handler needs is
// there.
func TestFindingMessageToAHostThatStartsPanics(t *testing.T) {
	var f *earlyFactory
	prepare := func(id uint64, conf *config.NodeHostConfig) {
		if id == 1 {
			f = &earlyFactory{TransportFactory: conf.Expert.TransportFactory}
			conf.Expert.TransportFactory = f
		}
	}
	inPreparedTrio(t, prepare, func(t *testing.T, c *trio) {
		require.ErrorContains(t, f.panicked.(error), "nil pointer dereference")
	})
}

// gatedLogs is a factory of LogDBs in which the entries of a cluster are not saved while
// the gate is closed. What else nodes save, a commit index say, is not kept waiting: it
// would keep the step from which the entry comes.
type gatedLogs struct {
	config.LogDBFactory
	cluster uint64
	db      *gatedLogDB
	closed  atomic.Bool
	open    chan struct{} // of the NodeHost's bubble, or time stands still while a save waits
}

func (g *gatedLogs) Create(c config.NodeHostConfig, callback config.LogDBCallback, dirs, walDirs []string) (raftio.ILogDB, error) {
	inner, err := g.LogDBFactory.Create(c, callback, dirs, walDirs)
	g.db = &gatedLogDB{inner, g}
	return g.db, err
}

type gatedLogDB struct {
	raftio.ILogDB
	gate *gatedLogs
}

func (d *gatedLogDB) SaveRaftState(updates []pb.Update, shard uint64) error {
	if d.gate.closed.Load() && slices.ContainsFunc(updates, func(u pb.Update) bool {
		return u.ClusterID == d.gate.cluster && len(u.EntriesToSave) > 0
	}) {
		<-d.gate.open
	}
	return d.ILogDB.SaveRaftState(updates, shard)
}

// A leader that is the only voter commits an entry when it appends it to its log in
// memory, and tells observers so before it saves it.
func TestFindingSingleVoterCommitsBeforeItSaves(t *testing.T) {
	const cluster = raftCluster + 1
	logs := &gatedLogs{LogDBFactory: memlog.Factory{}, cluster: cluster}
	prepare := func(id uint64, conf *config.NodeHostConfig) {
		if id == 1 {
			logs.open = make(chan struct{})
			conf.Expert.LogDBFactory = logs
		}
	}
	inPreparedTrio(t, prepare, func(t *testing.T, c *trio) {
		voter, observer := c.hosts[0], c.hosts[1]
		of := func(id uint64) config.Config {
			return config.Config{NodeID: id, ClusterID: cluster, ElectionRTT: 10, HeartbeatRTT: 2, CheckQuorum: true, IsObserver: id == 2}
		}
		require.NoError(t, voter.StartCluster(map[uint64]string{1: hostName(1) + ":raft"}, false, newSum, of(1)))
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for voter.SyncRequestAddObserver(ctx, cluster, 2, hostName(2)+":raft", 0) != nil {
			require.NoError(t, ctx.Err())
			time.Sleep(100 * time.Millisecond) // it has not elected itself yet
		}
		require.NoError(t, observer.StartCluster(nil, true, newSum, of(2)))
		propose := func() error {
			_, err := observer.SyncPropose(ctx, observer.GetNoOPSession(cluster), make([]byte, 8))
			return err
		}
		for propose() != nil {
			require.NoError(t, ctx.Err())
			time.Sleep(100 * time.Millisecond) // it knows no leader yet
		}
		saved := func() uint64 {
			s, err := logs.db.ReadRaftState(cluster, 1, 0)
			require.NoError(t, err)
			return s.FirstIndex + s.EntryCount
		}

		before := saved()
		logs.closed.Store(true)
		err := propose()
		after := saved()
		logs.closed.Store(false)
		close(logs.open)
		require.NoError(t, err, "mended: the proposal is not acknowledged before it is saved")
		require.Equal(t, before, after)
	})
}

// pickyFactory makes transports that take only the messages that it is told to take.
type pickyFactory struct {
	config.TransportFactory
	take func(m *pb.Message) bool
}

func (f pickyFactory) Create(c config.NodeHostConfig, messages raftio.MessageHandler, chunks raftio.ChunkHandler) raftio.ITransport {
	return f.TransportFactory.Create(c, func(b pb.MessageBatch) {
		b.Requests = slices.DeleteFunc(b.Requests, func(m pb.Message) bool { return !f.take(&m) })
		messages(b)
	}, chunks)
}

// A confirmation of leadership confirms all reads that were asked for before. The
// answers to them all bear the name of the last one, and whoever asked for another one
// never hears.
func TestFindingReadsOfTwoFollowersAreAnsweredUnderOneName(t *testing.T) {
	var first atomic.Uint64 // the name of the first read
	var lose atomic.Bool    // what would confirm it
	prepare := func(_ uint64, conf *config.NodeHostConfig) {
		conf.Expert.TransportFactory = pickyFactory{conf.Expert.TransportFactory, func(m *pb.Message) bool {
			if m.Type == pb.ReadIndex {
				first.CompareAndSwap(0, m.Hint)
			}
			return m.Type != pb.Heartbeat || !lose.Load() || m.Hint != first.Load()
		}}
	}
	inPreparedTrio(t, prepare, func(t *testing.T, c *trio) {
		leader := c.leader(1, 2, 3)
		one, other := others(leader)[0], others(leader)[1]
		require.NoError(t, c.add(leader, 1))
		time.Sleep(time.Second) // both know the leader
		first.Store(0)
		lose.Store(true)
		read := func(by uint64) *dragonboat.RequestState {
			s, err := c.hosts[by-1].ReadIndex(raftCluster, 3*time.Second)
			require.NoError(t, err)
			time.Sleep(10 * time.Millisecond) // much less than Raft's heartbeat interval
			return s
		}
		lost, last := read(one), read(other)
		r := <-last.ResultC()
		require.True(t, r.Completed())
		r = <-lost.ResultC()
		require.True(t, r.Timeout(), "mended: the first read is answered, too")
	})
}

// An observer answers no request for a vote, and one that was promoted is an observer
// until it has applied that: two of three voters that reach each other can be without
// a leader for as long as the third one is away.
func TestFindingPromotedObserverGivesNoVote(t *testing.T) {
	const cluster = raftCluster + 1
	inPreparedTrio(t, nil, func(t *testing.T, c *trio) {
		members := map[uint64]string{1: hostName(1) + ":raft", 2: hostName(2) + ":raft"}
		start := func(id uint64, initial map[uint64]string) {
			require.NoError(t, c.hosts[id-1].StartCluster(initial, id == 3, newSum, config.Config{
				NodeID: id, ClusterID: cluster, ElectionRTT: 10, HeartbeatRTT: 2, CheckQuorum: true, IsObserver: id == 3}))
		}
		leader := func() uint64 {
			for _, nh := range c.hosts[:2] {
				if l, ok, err := nh.GetLeaderID(cluster); err == nil && ok {
					return l
				}
			}
			return 0
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		start(1, members)
		start(2, members)
		for leader() == 0 {
			require.NoError(t, ctx.Err())
			time.Sleep(100 * time.Millisecond)
		}
		for { // a leader drops changes until it has committed in its term
			err := c.hosts[0].SyncRequestAddObserver(ctx, cluster, 3, hostName(3)+":raft", 0)
			if err == nil {
				break
			}
			require.ErrorIs(t, err, dragonboat.ErrClusterNotReady)
			time.Sleep(100 * time.Millisecond)
		}
		start(3, nil)
		read := func() error { // one that is lost is not answered
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := c.hosts[2].SyncRead(ctx, cluster, nil)
			return err
		}
		for read() != nil { // it has not caught up yet
			require.NoError(t, ctx.Err())
			time.Sleep(100 * time.Millisecond)
		}

		c.net.Isolate(hostName(3))
		require.NoError(t, c.hosts[0].SyncRequestAddNode(ctx, cluster, 3, hostName(3)+":raft", 0))
		old := leader()
		left := 3 - old
		c.net.HealAll()
		c.net.Isolate(hostName(old))
		time.Sleep(time.Minute) // of an election timeout of half a second
		_, led, err := c.hosts[left-1].GetLeaderID(cluster)
		require.NoError(t, err)
		require.False(t, led, "mended: the promoted member gives its vote")

		c.net.HealAll()
		time.Sleep(10 * time.Second)
		_, led, err = c.hosts[2].GetLeaderID(cluster)
		require.NoError(t, err)
		require.True(t, led)
	})
}
