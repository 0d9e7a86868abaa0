// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"testing"
	"time"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
	pb "github.com/lni/dragonboat/v3/raftpb"
	"github.com/stretchr/testify/require"
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
