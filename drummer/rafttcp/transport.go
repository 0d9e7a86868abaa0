// SPDX-License-Identifier: Apache-2.0

package rafttcp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/juju/ratelimit"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
)

const (
	defaultConnections = 8192
	defaultStrangers   = 256
	// handshakeTimeout bounds how long TLS may take. Without it a connection has
	// shown who it is by its first message, for which it has firstTimeout: that of a
	// snapshot may be long in the making.
	handshakeTimeout = 5 * time.Second
	firstTimeout     = time.Minute
	// idleTimeout ends a connection on which nothing has come. The other side ends
	// one that it does not use after a minute, by itself.
	idleTimeout = 5 * time.Minute
	// stepTimeout bounds each step of a message that is under way: its header, and
	// every stepBytes of it.
	stepTimeout = 5 * time.Second
	stepBytes   = 1 << 20
	// ackTimeout bounds the wait for the other side to have taken a snapshot.
	ackTimeout  = 10 * time.Second
	dialTimeout = 5 * time.Second
	keepAlive   = 10 * time.Second
	// acceptPause follows an error of accept, of which there may be many: no file
	// descriptor is free, say.
	acceptPause = 100 * time.Millisecond
)

// Limits bound what strangers can make a Raft port hold. The zero value stands for the
// defaults.
type Limits struct {
	// Connections at one time, 0: 8192. A NodeHost has four to each other one that
	// sends to it, and one for each snapshot. One that comes on top is closed.
	Connections int `yaml:"connections"`
	// Strangers are the connections among them that have not shown yet who they
	// are, 0: 256. One that comes on top ends the one that has taken longest.
	Strangers int `yaml:"strangers"`
}

// Validate refuses limits under which nothing could work.
func (l Limits) Validate() error {
	l.setDefaults()
	if l.Connections < 1 || l.Strangers < 1 {
		return fmt.Errorf("raft_limits has connections %d and strangers %d; both must be at least 1", l.Connections, l.Strangers)
	}
	return nil
}

func (l *Limits) setDefaults() {
	if l.Connections == 0 {
		l.Connections = defaultConnections
	}
	if l.Strangers == 0 {
		l.Strangers = defaultStrangers
	}
}

// Factory makes the transports of NodeHosts. The zero value is ready.
type Factory struct {
	Limits Limits
	// ServerTLS and ClientTLS are the two sides of mutual TLS; the latter is asked
	// for each connection, and given the host's name as ServerName. Nil: they are
	// made from the files that the NodeHost's configuration names, if it says
	// MutualTLS; otherwise plain text.
	ServerTLS *tls.Config
	ClientTLS func() *tls.Config
	// Speaks says whether who has shown a certificate may send messages as the NodeHost
	// at an address: Dragonboat sends its own to where the last ones came from. Under
	// TLS, messages without an address, and ones that it refuses, end the connection.
	// Chunks of snapshots bear no address. Nil: everybody may who has a certificate.
	Speaks func(cert *x509.Certificate, raftAddress string) error
	// Log may be nil.
	Log *slog.Logger
}

// Create implements config.TransportFactory.
func (f *Factory) Create(nodehost config.NodeHostConfig, messages raftio.MessageHandler, chunks raftio.ChunkHandler) raftio.ITransport {
	t := &transport{
		nodehost: nodehost, limits: f.Limits, serverTLS: f.ServerTLS, clientTLS: f.ClientTLS, speaks: f.Speaks, log: f.Log,
		messages: messages, chunks: chunks, conns: map[*incoming]struct{}{},
	}
	t.limits.setDefaults()
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	t.read, t.write = bucket(nodehost.MaxSnapshotRecvBytesPerSecond), bucket(nodehost.MaxSnapshotSendBytesPerSecond)
	return t
}

// Validate implements config.TransportFactory.
func (f *Factory) Validate(address string) bool { return config.IsValidAddress(address) }

// bucket limits a rate in bytes a second; 0 is no limit.
func bucket(rate uint64) *ratelimit.Bucket {
	if rate == 0 {
		return nil
	}
	return ratelimit.NewBucketWithRate(float64(rate), int64(rate)*2)
}

// transport implements raftio.ITransport for one NodeHost.
type transport struct {
	nodehost  config.NodeHostConfig
	limits    Limits
	serverTLS *tls.Config
	clientTLS func() *tls.Config
	speaks    func(cert *x509.Certificate, raftAddress string) error
	log       *slog.Logger
	messages  raftio.MessageHandler
	chunks    raftio.ChunkHandler
	// read and write limit the rate of snapshots; nil: no limit.
	read, write *ratelimit.Bucket

	listeners []net.Listener
	workers   sync.WaitGroup

	mu        sync.Mutex
	stopped   bool
	conns     map[*incoming]struct{} // all that are open
	strangers []*incoming            // those that have not shown who they are, the oldest first
	refused   uint64                 // connections that were ended by a limit
}

// Name implements raftio.ITransport.
func (t *transport) Name() string { return "drumbeat-tcp-transport" }

// Start implements raftio.ITransport: it begins to listen.
func (t *transport) Start() error {
	if err := t.loadTLS(); err != nil {
		return err
	}
	if err := t.listen(); err != nil {
		return err
	}
	for _, listener := range t.listeners {
		t.workers.Go(func() { t.accept(listener) })
	}
	return nil
}

// Stop implements raftio.ITransport. Nothing of the transport runs when it returns but
// what others send with.
func (t *transport) Stop() {
	t.mu.Lock()
	t.stopped = true
	for conn := range t.conns {
		_ = conn.raw.Close()
	}
	t.mu.Unlock()
	for _, listener := range t.listeners {
		_ = listener.Close()
	}
	t.workers.Wait()
}

// loadTLS completes both sides of TLS from the NodeHost's configuration.
func (t *transport) loadTLS() error {
	if t.serverTLS == nil && t.nodehost.MutualTLS {
		conf, err := t.nodehost.GetServerTLSConfig()
		if err != nil {
			return fmt.Errorf("the certificate of the Raft port can't be loaded: %w", err)
		}
		t.serverTLS = conf
	}
	if t.clientTLS == nil && t.nodehost.MutualTLS {
		conf, err := t.nodehost.GetClientTLSConfig(t.nodehost.RaftAddress)
		if err != nil {
			return fmt.Errorf("the certificate for other Raft ports can't be loaded: %w", err)
		}
		t.clientTLS = func() *tls.Config { return conf }
	}
	if (t.serverTLS == nil) != (t.clientTLS == nil) {
		return fmt.Errorf("the Raft port at %s has one side of mutual TLS only", t.nodehost.RaftAddress)
	}
	if t.serverTLS != nil {
		t.serverTLS = t.serverTLS.Clone()
		t.serverTLS.MinVersion = tls.VersionTLS13
	}
	return nil
}

func (t *transport) encrypted() bool { return t.serverTLS != nil }

// GetConnection implements raftio.ITransport.
func (t *transport) GetConnection(ctx context.Context, target string) (raftio.IConnection, error) {
	conn, err := t.dial(ctx, target)
	if err != nil {
		return nil, err
	}
	return &messageConn{conn: conn, encrypted: t.encrypted()}, nil
}

// GetSnapshotConnection implements raftio.ITransport.
func (t *transport) GetSnapshotConnection(ctx context.Context, target string) (raftio.ISnapshotConnection, error) {
	conn, err := t.dial(ctx, target)
	if err != nil {
		return nil, err
	}
	return &snapshotConn{conn: limitRate(conn, t.read, t.write), encrypted: t.encrypted()}, nil
}
