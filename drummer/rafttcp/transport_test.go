// SPDX-License-Identifier: Apache-2.0

package rafttcp

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftpb"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/testca"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
)

// port is a transport that listens on loopback, and what it was brought.
type port struct {
	*transport
	address string

	mu       sync.Mutex
	messages []raftpb.MessageBatch
	chunks   []raftpb.Chunk
}

func openPort(t *testing.T, f *Factory) *port {
	t.Helper()
	p := &port{address: freeAddress(t)}
	p.transport = f.Create(config.NodeHostConfig{RaftAddress: p.address}, p.message, p.chunk).(*transport)
	require.NoError(t, p.Start())
	t.Cleanup(p.Stop)
	return p
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return fmt.Sprintf("localhost:%d", l.Addr().(*net.TCPAddr).Port)
}

func (p *port) message(batch raftpb.MessageBatch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages = append(p.messages, batch)
}

func (p *port) chunk(chunk raftpb.Chunk) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chunks = append(p.chunks, chunk)
	return !chunk.Witness
}

func (p *port) brought() (messages, chunks int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.messages), len(p.chunks)
}

func (p *port) open() int {
	p.transport.mu.Lock()
	defer p.transport.mu.Unlock()
	return len(p.conns)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, 10*time.Second, 10*time.Millisecond, what)
}

func batchOf(size int) raftpb.MessageBatch {
	return raftpb.MessageBatch{SourceAddress: "a:1", DeploymentId: 1, Requests: []raftpb.Message{
		{Type: raftpb.Replicate, To: 2, From: 1, ClusterId: 9, Term: 3, Entries: []raftpb.Entry{{Index: 7, Term: 3, Cmd: bytes.Repeat([]byte{5}, size)}}}}}
}

func TestMessagesAndSnapshotsArrive(t *testing.T) {
	ca := testca.New(t)
	server, client := ca.Configs(role.Identity{Role: role.Server}, "localhost")
	for name, factory := range map[string]*Factory{
		"plain text": {},
		"TLS":        {ServerTLS: server, ClientTLS: client},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := openPort(t, factory), openPort(t, factory)
			conn, err := a.GetConnection(t.Context(), b.address)
			require.NoError(t, err)
			defer conn.Close()
			for _, size := range []int{1, 1000, 300 << 10, 5 << 20, 10} {
				require.NoError(t, conn.SendMessageBatch(batchOf(size)))
			}
			eventually(t, "the messages are there", func() bool { n, _ := b.brought(); return n == 5 })
			for i, size := range []int{1, 1000, 300 << 10, 5 << 20, 10} {
				require.Equal(t, batchOf(size).Requests[0].Entries, b.messages[i].Requests[0].Entries)
			}
			snapshot, err := a.GetSnapshotConnection(t.Context(), b.address)
			require.NoError(t, err)
			for i := range uint64(3) {
				require.NoError(t, snapshot.SendChunk(raftpb.Chunk{ClusterId: 9, ChunkId: i, ChunkCount: 3, Data: make([]byte, 2<<20)}))
			}
			snapshot.Close()
			_, chunks := b.brought()
			require.Equal(t, 3, chunks, "all was taken when Close returns")
		})
	}
}

// Dragonboat sends to where messages came from: so nobody may send them as another
// NodeHost than the one of his certificate.
func TestNobodySpeaksAsAnotherNodeHost(t *testing.T) {
	ca := testca.New(t)
	port := func(raftAddress string) *port {
		server, client := ca.Configs(role.Identity{Name: "x", Role: role.NodeHost, RaftAddress: raftAddress}, "localhost")
		return openPort(t, &Factory{ServerTLS: server, ClientTLS: client, Speaks: role.SpeaksFor})
	}
	receiver := port("receiver:1")
	for _, x := range []struct {
		own, source string
		taken       bool
	}{{"a:1", "a:1", true}, {"b:1", "a:1", false}, {"a:1", "", false}} {
		before, _ := receiver.brought()
		conn, err := port(x.own).GetConnection(t.Context(), receiver.address)
		require.NoError(t, err)
		defer conn.Close()
		batch := batchOf(1)
		batch.SourceAddress = x.source
		require.NoError(t, conn.SendMessageBatch(batch))
		if x.taken {
			eventually(t, "the messages are there", func() bool { n, _ := receiver.brought(); return n == before+1 })
			continue
		}
		eventually(t, "the connection ends", func() bool { return conn.SendMessageBatch(batch) != nil })
		after, _ := receiver.brought()
		require.Equal(t, before, after, "%+v", x)
	}
}

// A fleet changes its transport one NodeHost at a time: Raft works between both.
func TestItWorksWithDragonboatsOwn(t *testing.T) {
	members := map[uint64]string{}
	for id := uint64(1); id <= 3; id++ {
		members[id] = freeAddress(t)
	}
	var hosts []*dragonboat.NodeHost
	for id, factory := range []config.TransportFactory{nil, &Factory{}, &Factory{}} {
		conf := testkit.NodeHostConfig(members[uint64(id+1)], vfs.NewMem())
		conf.Expert.TransportFactory = factory
		nodehost := testkit.StartNodeHost(t, conf)
		defer nodehost.Stop()
		raft := testkit.RaftConfig(1, uint64(id+1))
		require.NoError(t, nodehost.StartCluster(members, false, testkit.NewKV, raft))
		hosts = append(hosts, nodehost)
	}
	for _, host := range hosts {
		eventually(t, "a write by way of each", func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, err := host.SyncPropose(ctx, host.GetNoOPSession(1), testkit.Put("key", "value"))
			return err == nil
		})
	}
	// And a snapshot, in both directions: each leads once, and compacts its log.
	for leader := uint64(1); leader <= 2; leader++ {
		eventually(t, "it leads", func() bool {
			_ = hosts[0].RequestLeaderTransfer(1, leader)
			id, ok, _ := hosts[0].GetLeaderID(1)
			return ok && id == leader
		})
		host := hosts[leader-1]
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := host.SyncRequestSnapshot(ctx, 1, dragonboat.SnapshotOption{OverrideCompactionOverhead: true, CompactionOverhead: 1})
		require.NoError(t, err)
		joiner := testkit.NodeHostConfig(freeAddress(t), vfs.NewMem())
		if leader == 1 {
			joiner.Expert.TransportFactory = &Factory{}
		} else {
			joiner.Expert.TransportFactory = nil
		}
		nodehost := testkit.StartNodeHost(t, joiner)
		defer nodehost.Stop()
		cancel()
		eventually(t, "it is added", func() bool { // a leader drops changes until it has committed in its term
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			m, err := host.SyncGetClusterMembership(ctx, 1)
			if err != nil {
				return false
			}
			if m.Nodes[10+leader] != "" {
				return true
			}
			return host.SyncRequestAddNode(ctx, 1, 10+leader, joiner.RaftAddress, m.ConfigChangeID) == nil
		})
		require.NoError(t, nodehost.StartCluster(nil, true, testkit.NewKV, testkit.RaftConfig(1, 10+leader)))
		eventually(t, "the joiner has the data", func() bool {
			data, err := nodehost.StaleRead(1, []byte("key"))
			return err == nil && string(data.([]byte)) == "value"
		})
	}
}

// 900 connections that say nothing: no more than the limit stay, others are served at
// once, and they are gone when their time is over.
func TestStrangersAreBounded(t *testing.T) {
	a, b := openPort(t, &Factory{}), openPort(t, &Factory{Limits: Limits{Strangers: 50}})
	for range 900 {
		conn, err := net.Dial("tcp", b.address)
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
	}
	eventually(t, "50 of them are left", func() bool { return b.open() == 50 })
	conn, err := a.GetConnection(t.Context(), b.address)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SendMessageBatch(batchOf(10)))
	eventually(t, "a message is there", func() bool { n, _ := b.brought(); return n == 1 })
	for range 100 {
		stranger, err := net.Dial("tcp", b.address)
		require.NoError(t, err)
		defer func() { _ = stranger.Close() }()
	}
	eventually(t, "the strangers are bounded still", func() bool { return b.open() == 51 })
	require.NoError(t, conn.SendMessageBatch(batchOf(10)), "who is known stays")
	eventually(t, "it is there", func() bool { n, _ := b.brought(); return n == 2 })
}

func TestConnectionsAreBounded(t *testing.T) {
	a, b := openPort(t, &Factory{}), openPort(t, &Factory{Limits: Limits{Connections: 3}})
	for i := range 5 {
		conn, err := a.GetConnection(t.Context(), b.address)
		require.NoError(t, err)
		defer conn.Close()
		_ = conn.SendMessageBatch(batchOf(10))
		eventually(t, "it was decided about", func() bool {
			n, _ := b.brought()
			b.transport.mu.Lock()
			defer b.transport.mu.Unlock()
			return n+int(b.refused) == i+1
		})
	}
	require.Equal(t, 3, b.open())
}

// A handshake that doesn't go on ends, and holds nobody up meanwhile.
func TestHalfOpenHandshakesEnd(t *testing.T) {
	ca := testca.New(t)
	server, client := ca.Configs(role.Identity{Role: role.Server}, "localhost")
	secure := &Factory{ServerTLS: server, ClientTLS: client}
	a, b := openPort(t, secure), openPort(t, secure)
	start := time.Now()
	var half []net.Conn
	for range 20 {
		conn, err := net.Dial("tcp", b.address)
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		half = append(half, conn)
	}
	conn, err := a.GetConnection(t.Context(), b.address)
	require.NoError(t, err)
	defer conn.Close()
	require.Less(t, time.Since(start), handshakeTimeout)
	for _, conn := range half {
		require.NoError(t, conn.SetReadDeadline(start.Add(handshakeTimeout+5*time.Second)))
		_, err := conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "the other side has closed it")
	}
	old := client().Clone()
	old.MinVersion, old.MaxVersion, old.ServerName = tls.VersionTLS12, tls.VersionTLS12, "localhost"
	_, err = tls.Dial("tcp", b.address, old)
	require.ErrorContains(t, err, "protocol version")
}

// What is no frame ends the connection, and takes no more memory than what has come.
func TestNonsenseEndsTheConnection(t *testing.T) {
	header := func(kind uint16, size uint64) []byte {
		var h [headerSize]byte
		binary.BigEndian.PutUint16(h[:], kind)
		binary.BigEndian.PutUint64(h[2:], size)
		binary.BigEndian.PutUint32(h[10:], crc32.ChecksumIEEE(h[:]))
		return append(magic[:], h[:]...)
	}
	valid := encodeHeader(kindMessages, []byte("garbage"), false)
	for name, data := range map[string][]byte{
		"no magic number":       []byte("GET / HTTP/1.1\r\n"),
		"a bad checksum":        append(magic[:], make([]byte, headerSize)...),
		"an unknown kind":       header(7, 10),
		"no payload":            header(kindMessages, 0),
		"an enormous payload":   header(kindMessages, 1<<62),
		"a bad payload":         append(header(kindMessages, 7), "garbage"...),
		"not Raft's messages":   append(append(magic[:], valid[:]...), "garbage"...),
		"the end of a snapshot": {0, 0},
	} {
		p := openPort(t, &Factory{})
		conn, err := net.Dial("tcp", p.address)
		require.NoError(t, err)
		_, err = conn.Write(data)
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
		_, err = io.ReadAll(conn)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded, name)
		_ = conn.Close()
		messages, chunks := p.brought()
		require.Zero(t, messages+chunks, name)
	}
}

// A header that announces much takes memory only as the bytes come.
func TestMemoryIsTakenAsBytesCome(t *testing.T) {
	ours, theirs := net.Pipe()
	defer func() { _ = ours.Close() }()
	go func() {
		_, _ = theirs.Write(make([]byte, 3<<20))
		_ = theirs.Close()
	}()
	r := &reader{conn: ours}
	_, err := r.payload(maxFrameBytes)
	require.Error(t, err)
	require.LessOrEqual(t, cap(r.buffer), 8<<20)
}

func FuzzFrames(f *testing.F) {
	valid := encodeHeader(kindMessages, []byte("payload"), false)
	f.Add(append(append(magic[:], valid[:]...), "payload"...))
	f.Add([]byte{0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = theirs.Write(data)
			_ = theirs.Close()
		}()
		r := &reader{conn: ours}
		for range 10 {
			kind, payload, err := r.next(time.Second)
			if err != nil {
				break
			}
			sum := encodeHeader(kind, payload, false)
			require.Contains(t, string(data), fmt.Sprintf("%s%s%s", magic[:], sum[:], payload))
		}
		_ = ours.Close()
	})
}
