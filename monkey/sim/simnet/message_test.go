// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
	pb "github.com/lni/dragonboat/v3/raftpb"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// inbox is what a host's transport received.
type inbox struct {
	raftio.ITransport
	mu     sync.Mutex
	terms  []uint64 // of messages, which the tests number by term
	chunks []pb.Chunk
	refuse bool // chunks
}

// boot starts a transport on a host.
func boot(t require.TestingT, n *Network, host string) *inbox {
	in := &inbox{}
	f := n.Transport(host)
	in.ITransport = f.Create(config.NodeHostConfig{RaftAddress: host + ":raft"}, in.message, in.chunk)
	require.NoError(t, in.Start())
	return in
}

func (in *inbox) message(b pb.MessageBatch) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, m := range b.Requests {
		in.terms = append(in.terms, m.Term)
	}
}

func (in *inbox) chunk(c pb.Chunk) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.chunks = append(in.chunks, c)
	return !in.refuse
}

// got takes the messages received so far.
func (in *inbox) got() []uint64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	terms := in.terms
	in.terms = nil
	return terms
}

func batch(terms ...uint64) pb.MessageBatch {
	var b pb.MessageBatch
	for _, t := range terms {
		b.Requests = append(b.Requests, pb.Message{Type: pb.Heartbeat, To: 1, From: 2, ClusterId: 3, Term: t})
	}
	return b
}

func connection(t require.TestingT, from *inbox, to string) raftio.IConnection {
	c, err := from.GetConnection(context.Background(), to+":raft")
	require.NoError(t, err)
	return c
}

func TestMessagesOverAPerfectLinkArriveInTheSameCall(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a, b := boot(t, n, "a"), boot(t, n, "b")
		c := connection(t, a, "b")
		require.NoError(t, c.SendMessageBatch(batch(1, 2, 3)))
		require.Equal(t, []uint64{1, 2, 3}, b.got())
		b.Stop()
		require.Error(t, c.SendMessageBatch(batch(4)), "a transport that was stopped still receives")
		require.Empty(t, b.got())
		require.Equal(t, Counts{Delivered: 3, Dead: 1, Resets: 1}, n.Counts("a", "b"))
	})
}

func TestMessagesDoNotOvertakeWhenALinkGetsFaster(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a, b := boot(t, n, "a"), boot(t, n, "b")
		c := connection(t, a, "b")
		require.NoError(t, n.SetLink("a", "b", Link{Delay: time.Second}))
		require.NoError(t, c.SendMessageBatch(batch(1)))
		n.HealAll()
		require.NoError(t, c.SendMessageBatch(batch(2)))
		time.Sleep(2 * time.Second)
		require.Equal(t, []uint64{1, 2}, b.got())
	})
}

func TestDuplicatesShareNoMemory(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a := boot(t, n, "a")
		var got []string
		b := n.Transport("b").Create(config.NodeHostConfig{RaftAddress: "b:raft"}, func(b pb.MessageBatch) {
			cmd := b.Requests[0].Entries[0].Cmd
			got = append(got, string(cmd))
			clear(cmd)
		}, nil)
		require.NoError(t, b.Start())
		require.NoError(t, n.SetLink("a", "b", Link{Duplicate: 1}))
		m := batch(1)
		m.Requests[0].Type, m.Requests[0].Entries = pb.Replicate, []pb.Entry{{Cmd: []byte("command")}}
		require.NoError(t, connection(t, a, "b").SendMessageBatch(m))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"command", "command"}, got)
	})
}

func TestForwardedProposalsAreNotDuplicated(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a, b := boot(t, n, "a"), boot(t, n, "b")
		require.NoError(t, n.SetLink("a", "b", Link{Duplicate: 1}))
		m := batch(1, 2)
		m.Requests[0].Type = pb.Propose
		require.NoError(t, connection(t, a, "b").SendMessageBatch(m))
		synctest.Wait()
		require.Equal(t, []uint64{1, 2, 2}, b.got())
		require.Equal(t, Counts{Delivered: 3, Duplicated: 1}, n.Counts("a", "b"))
	})
}

func TestMessagesUnderWayAreLostInACutAndWithTheReceiver(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a, b := boot(t, n, "a"), boot(t, n, "b")
		c := connection(t, a, "b")
		require.NoError(t, n.SetLink("a", "b", Link{Delay: time.Second}))
		require.NoError(t, c.SendMessageBatch(batch(1)))
		n.Cut("a", "b")
		require.NoError(t, c.SendMessageBatch(batch(2, 3)))
		time.Sleep(2 * time.Second)
		n.Heal("a", "b")
		require.NoError(t, c.SendMessageBatch(batch(4)))
		n.Up("b")
		b2 := boot(t, n, "b")
		time.Sleep(2 * time.Second)
		require.Empty(t, append(b.got(), b2.got()...))
		require.Equal(t, Counts{CutOff: 3, Dead: 1, Delayed: 2}, n.Counts("a", "b"))
		require.Error(t, c.SendMessageBatch(batch(5)), "a connection to an old incarnation works")
		require.NoError(t, connection(t, a, "b").SendMessageBatch(batch(6)))
		time.Sleep(2 * time.Second)
		require.Equal(t, []uint64{6}, b2.got())
	})
}

func TestSilenceAndResetOfMessageConnections(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a, b, d := boot(t, n, "a"), boot(t, n, "b"), boot(t, n, "d")
		toB, toD := connection(t, a, "b"), connection(t, a, "d")
		n.Down("b", true)
		n.Down("d", false)
		require.Error(t, toB.SendMessageBatch(batch(1)))
		require.NoError(t, toD.SendMessageBatch(batch(1)))
		_, err := a.GetConnection(context.Background(), "b:raft")
		require.Error(t, err)
		start := time.Now()
		_, err = a.GetConnection(context.Background(), "d:raft")
		require.Error(t, err)
		require.Equal(t, dialTimeout, time.Since(start))
		n.Up("d")
		require.Error(t, toD.SendMessageBatch(batch(1)))

		// dead processes see no error
		g, err := b.GetConnection(context.Background(), "a:raft")
		require.NoError(t, err)
		require.NoError(t, g.SendMessageBatch(batch(1)))
		s, err := b.GetSnapshotConnection(context.Background(), "a:raft")
		require.NoError(t, err)
		require.NoError(t, s.SendChunk(pb.Chunk{}))
		require.Empty(t, append(a.got(), d.got()...))
	})
}

func TestChunksWaitOutACut(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a, b := boot(t, n, "a"), boot(t, n, "b")
		s, err := a.GetSnapshotConnection(context.Background(), "b:raft")
		require.NoError(t, err)
		buf := []byte("first")
		require.NoError(t, s.SendChunk(pb.Chunk{ChunkId: 1, Data: buf, Membership: pb.Membership{Addresses: map[uint64]string{1: "a"}}}))
		copy(buf, "XXXXX")
		require.Equal(t, "first", string(b.chunks[0].Data))
		require.Equal(t, "a", b.chunks[0].Membership.Addresses[1])

		require.NoError(t, n.SetLink("a", "b", Link{Delay: 100 * time.Millisecond, Cut: true}))
		time.AfterFunc(10*time.Second, func() { n.Heal("a", "b") })
		start := time.Now()
		require.NoError(t, s.SendChunk(pb.Chunk{ChunkId: 2, Data: buf}))
		require.Equal(t, 10100*time.Millisecond, time.Since(start))
		require.EqualValues(t, 5, n.Counts("a", "b").BytesHeld)

		n.Cut("a", "b")
		start = time.Now()
		require.Error(t, s.SendChunk(pb.Chunk{ChunkId: 3, Data: buf}))
		require.Equal(t, stallTimeout, time.Since(start))
		n.HealAll()
		b.refuse = true
		require.Error(t, s.SendChunk(pb.Chunk{ChunkId: 4, Data: buf}))
	})
}

func TestKillEndsAChunkThatWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a := boot(t, n, "a")
		boot(t, n, "b")
		s, err := a.GetSnapshotConnection(context.Background(), "b:raft")
		require.NoError(t, err)
		n.Cut("a", "b")
		time.AfterFunc(time.Second, func() { n.Down("a", false) })
		start := time.Now()
		require.NoError(t, s.SendChunk(pb.Chunk{}))
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestStopWaitsForTheHandler(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a := boot(t, n, "a")
		entered, leave := make(chan struct{}), make(chan struct{})
		b := n.Transport("b").Create(config.NodeHostConfig{RaftAddress: "b:raft"}, func(pb.MessageBatch) { close(entered); <-leave }, nil)
		require.NoError(t, b.Start())
		c := connection(t, a, "b")
		go func() { _ = c.SendMessageBatch(batch(1)) }()
		<-entered
		stopped := make(chan struct{})
		go func() { b.Stop(); close(stopped) }()
		synctest.Wait()
		select {
		case <-stopped:
			t.Fatal("stopped while the handler was at work")
		default:
		}
		close(leave)
		<-stopped
	})
}

func TestTransportAddresses(t *testing.T) {
	n := New(Config{Seed: 1})
	defer n.Close()
	f := n.Transport("a")
	for addr, ok := range map[string]bool{"a:raft": true, "nh-1:2": true, "a": false, "a:": false, ":2": false, "": false} {
		require.Equal(t, ok, f.Validate(addr), "%q", addr)
	}
	start := func(addr string) error {
		return f.Create(config.NodeHostConfig{RaftAddress: addr}, nil, nil).Start()
	}
	require.NoError(t, start("a:raft"))
	require.ErrorContains(t, start("a:raft"), "in use")
	require.ErrorContains(t, start("b:raft"), "not on host a")
	n.Down("a", true)
	require.NoError(t, start("a:other"), "a dead process that is just starting")
}

// TestNoMessageIsUnaccountedFor sends numbered messages over a link whose
// quality changes, and compares the counters with what arrived.
func TestNoMessageIsUnaccountedFor(t *testing.T) {
	inBubbleCheck(t, accountFor)
}

func accountFor(t *rapid.T) {
	n := New(Config{Seed: rapid.Uint64().Draw(t, "seed")})
	defer n.Close()
	a, b := boot(t, n, "a"), boot(t, n, "b")
	c := connection(t, a, "b")
	reorders, sent := false, uint64(0)
	for range rapid.IntRange(1, 20).Draw(t, "phases") {
		q := anyLink(t)
		reorders = reorders || q.Reorder > 0
		require.NoError(t, n.SetLink("a", "b", q))
		for range rapid.IntRange(0, 5).Draw(t, "batches") {
			var terms []uint64
			for range rapid.IntRange(1, 4).Draw(t, "size") {
				sent++
				terms = append(terms, sent)
			}
			require.NoError(t, c.SendMessageBatch(batch(terms...)))
			time.Sleep(pause.Draw(t, "pause"))
		}
	}
	time.Sleep(time.Minute)
	counts, got := n.Counts("a", "b"), b.got()
	require.EqualValues(t, len(got), counts.Delivered)
	require.EqualValues(t, int64(sent)+counts.Duplicated, counts.Delivered+counts.Lost+counts.CutOff+counts.Dead)
	seen, twice, last := map[uint64]int{}, int64(0), uint64(0)
	for _, term := range got {
		if seen[term]++; seen[term] > 1 {
			twice++
		} else if !reorders {
			require.Greater(t, term, last, "out of order")
			last = term
		}
	}
	require.LessOrEqual(t, twice, counts.Duplicated)
}

// anyLink draws the quality of a link.
func anyLink(t *rapid.T) Link {
	return Link{
		Cut: rapid.IntRange(0, 4).Draw(t, "cut") == 0, Drop: chance.Draw(t, "drop"), Duplicate: chance.Draw(t, "duplicate"),
		Reorder: chance.Draw(t, "reorder"), Delay: pause.Draw(t, "delay"), Jitter: pause.Draw(t, "jitter"),
	}
}

var (
	chance = rapid.SampledFrom([]float64{0, 0, 0, 0.1, 0.5, 1})
	pause  = rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, 20 * time.Millisecond, time.Second})
)

// TestCopiesShareNothing compares a copy with its original and sees that it
// stays when the original changes.
func TestCopiesShareNothing(t *testing.T) {
	n := New(Config{Seed: 1})
	defer n.Close()
	rapid.Check(t, func(t *rapid.T) {
		b := pb.MessageBatch{SourceAddress: rapid.String().Draw(t, "source"), BinVer: 210, DeploymentId: rapid.Uint64().Draw(t, "deployment")}
		for range rapid.IntRange(0, 3).Draw(t, "messages") {
			m := pb.Message{Type: pb.Replicate, To: 1, From: 2, Term: rapid.Uint64().Draw(t, "term"), Reject: rapid.Bool().Draw(t, "reject"), Hint: rapid.Uint64().Draw(t, "hint")}
			for range rapid.IntRange(0, 3).Draw(t, "entries") {
				m.Entries = append(m.Entries, pb.Entry{Index: rapid.Uint64().Draw(t, "index"), Cmd: rapid.SliceOfN(rapid.Byte(), 0, 5000).Draw(t, "cmd")})
			}
			if rapid.IntRange(0, 3).Draw(t, "snapshot") == 0 {
				m.Snapshot = pb.Snapshot{Index: 5, Filepath: "x", Checksum: []byte{1}}
			}
			b.Requests = append(b.Requests, m)
		}
		before, err := b.Marshal()
		require.NoError(t, err)
		c, err := n.copyBatch(b)
		require.NoError(t, err)
		bytewise, err := n.copyBytes(b)
		require.NoError(t, err)
		for i := range b.Requests {
			for j := range b.Requests[i].Entries {
				clear(b.Requests[i].Entries[j].Cmd)
			}
			clear(b.Requests[i].Snapshot.Checksum)
			b.Requests[i] = pb.Message{}
		}
		_, err = n.copyBatch(batch(1, 2, 3)) // uses the same buffer
		require.NoError(t, err)
		after, err := c.Marshal()
		require.NoError(t, err)
		require.Equal(t, before, after)
		require.Equal(t, bytewise, c)
	})
}

// What is under way arrives in order of time, and at the same time in the order in
// which it was sent.
func TestArrivalsAreInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a arrivals
		var last arrival
		for seq := range uint64(rapid.IntRange(0, 60).Draw(t, "steps")) {
			if len(a) > 0 && rapid.IntRange(0, 2).Draw(t, "pop") == 0 {
				last = a.pop()
			}
			a.push(arrival{due: last.due + time.Duration(rapid.IntRange(0, 5).Draw(t, "due")), seq: seq + 1})
		}
		for len(a) > 0 {
			next := a.pop()
			require.True(t, last.due < next.due || last.due == next.due && last.seq < next.seq, "%v before %v", last, next)
			last = next
		}
	})
}

// BenchmarkMessages hands batches of one heartbeat over a perfect link.
func BenchmarkMessages(b *testing.B) {
	n := New(Config{Seed: 1})
	defer n.Close()
	from := boot(b, n, "a")
	to := n.Transport("b").Create(config.NodeHostConfig{RaftAddress: "b:raft"}, func(pb.MessageBatch) {}, nil)
	require.NoError(b, to.Start())
	c := connection(b, from, "b")
	m := batch(1)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.SendMessageBatch(m); err != nil {
			b.Fatal(err)
		}
	}
}
