// SPDX-License-Identifier: Apache-2.0

package rafttcp

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/juju/ratelimit"
	"github.com/lni/dragonboat/v3/raftpb"
)

// dial connects to another NodeHost's Raft port.
func (t *transport) dial(ctx context.Context, target string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := (&net.Dialer{KeepAlive: keepAlive}).DialContext(ctx, "tcp", target)
	if err != nil || !t.encrypted() {
		return conn, err
	}
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("the RaftAddress %s has no host: %w", target, err)
	}
	conf := t.clientTLS().Clone()
	conf.MinVersion, conf.ServerName = tls.VersionTLS13, host
	secure := tls.Client(conn, conf)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("no TLS with the NodeHost at %s: %w", target, err)
	}
	return secure, nil
}

// messageConn sends Raft messages. One goroutine uses it at a time.
type messageConn struct {
	conn      net.Conn
	encrypted bool
	buffer    []byte
}

// Close implements raftio.IConnection.
func (c *messageConn) Close() { _ = c.conn.Close() }

// SendMessageBatch implements raftio.IConnection.
func (c *messageConn) SendMessageBatch(batch raftpb.MessageBatch) error {
	if size := batch.SizeUpperLimit(); len(c.buffer) < size {
		c.buffer = make([]byte, size)
	}
	n, err := batch.MarshalTo(c.buffer)
	if err != nil {
		return fmt.Errorf("messages of Raft can't be encoded: %w", err)
	}
	err = writeFrame(c.conn, kindMessages, c.buffer[:n], c.encrypted)
	if len(c.buffer) > keptBytes {
		c.buffer = nil
	}
	return err
}

// snapshotConn sends the chunks of snapshots. One goroutine uses it at a time.
type snapshotConn struct {
	conn      net.Conn
	encrypted bool
}

// Close implements raftio.ISnapshotConnection: it waits until the other side has taken
// what was sent.
func (c *snapshotConn) Close() {
	defer func() { _ = c.conn.Close() }()
	if err := writeStep(c.conn, end[:]); err != nil {
		return
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(ackTimeout)); err != nil {
		return
	}
	var ack [magicSize]byte
	_, _ = io.ReadFull(c.conn, ack[:])
}

// SendChunk implements raftio.ISnapshotConnection.
func (c *snapshotConn) SendChunk(chunk raftpb.Chunk) error {
	buffer := make([]byte, chunk.Size())
	n, err := chunk.MarshalTo(buffer)
	if err != nil {
		return fmt.Errorf("a chunk of a snapshot can't be encoded: %w", err)
	}
	return writeFrame(c.conn, kindChunk, buffer[:n], c.encrypted)
}

// rateConn is a connection with limits of its rate.
type rateConn struct {
	net.Conn
	reader io.Reader
	writer io.Writer
}

func limitRate(conn net.Conn, read, write *ratelimit.Bucket) net.Conn {
	limited := &rateConn{Conn: conn, reader: conn, writer: conn}
	if read != nil {
		limited.reader = ratelimit.Reader(conn, read)
	}
	if write != nil {
		limited.writer = ratelimit.Writer(conn, write)
	}
	return limited
}

func (c *rateConn) Read(p []byte) (int, error)  { return c.reader.Read(p) }
func (c *rateConn) Write(p []byte) (int, error) { return c.writer.Write(p) }
