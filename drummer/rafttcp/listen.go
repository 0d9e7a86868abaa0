// SPDX-License-Identifier: Apache-2.0

package rafttcp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/lni/dragonboat/v3/raftpb"
)

// listen opens the Raft port, on each IPv4 address that the host of its address has.
func (t *transport) listen() error {
	address := strings.TrimSpace(t.nodehost.GetListenAddress())
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("the address of the Raft port: %w", err)
	}
	addresses := []string{address}
	if net.ParseIP(host) == nil && host != "" {
		ips, err := net.DefaultResolver.LookupIP(context.Background(), "ip4", host)
		if err != nil {
			return fmt.Errorf("the host of the Raft port at %s is not known: %w", address, err)
		}
		addresses = nil
		for _, ip := range ips {
			addresses = append(addresses, net.JoinHostPort(ip.String(), port))
		}
		slices.Sort(addresses)
		addresses = slices.Compact(addresses)
	}
	for _, address := range addresses {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return fmt.Errorf("the Raft port can't be opened: %w", err)
		}
		t.listeners = append(t.listeners, listener)
	}
	return nil
}

// accept serves the connections of one listener until it is closed.
func (t *transport) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			t.log.Warn("a connection to the Raft port can't be accepted", "address", listener.Addr(), "error", err)
			time.Sleep(acceptPause)
			continue
		}
		if c := t.enter(conn); c != nil {
			t.workers.Go(func() { t.serve(c) })
		}
	}
}

// incoming is a connection that another side has opened.
type incoming struct{ raw net.Conn }

// enter takes a connection in as that of a stranger; nil when it is one too many.
func (t *transport) enter(conn net.Conn) *incoming {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped || len(t.conns) >= t.limits.Connections {
		t.refuse(conn, "limits.connections", t.limits.Connections)
		return nil
	}
	if len(t.strangers) >= t.limits.Strangers {
		t.refuse(t.strangers[0].raw, "limits.strangers", t.limits.Strangers)
		t.strangers = slices.Delete(t.strangers, 0, 1)
	}
	c := &incoming{conn}
	t.conns[c] = struct{}{}
	t.strangers = append(t.strangers, c)
	return c
}

// refuse ends a connection by a limit. The first, and then every thousandth, is logged.
// t.mu is held.
func (t *transport) refuse(conn net.Conn, limit string, value int) {
	_ = conn.Close()
	if t.stopped {
		return
	}
	if t.refused++; t.refused%1000 == 1 {
		t.log.Warn("a connection to the Raft port is ended, there are too many", "from", conn.RemoteAddr(), "limit", limit, "value", value, "so-far", t.refused)
	}
}

// known says that a connection has shown who it is.
func (t *transport) known(c *incoming) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.strangers = slices.DeleteFunc(t.strangers, func(other *incoming) bool { return other == c })
}

func (t *transport) leave(c *incoming) {
	_ = c.raw.Close()
	t.known(c)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, c)
}

// serve receives what comes on a connection until it ends.
func (t *transport) serve(c *incoming) {
	defer t.leave(c)
	conn := c.raw
	var cert *x509.Certificate // that the other side has shown; nil: none
	if t.encrypted() {
		ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
		defer cancel()
		secure := tls.Server(conn, t.serverTLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			t.log.Debug("no TLS on the Raft port", "from", conn.RemoteAddr(), "error", err)
			return
		}
		cancel()
		t.known(c)
		conn = secure
		if shown := secure.ConnectionState().PeerCertificates; len(shown) > 0 {
			cert = shown[0]
		}
	}
	if err := t.receive(c, conn, cert); err != nil {
		t.log.Debug("a connection to the Raft port ends", "from", conn.RemoteAddr(), "error", err)
	}
}

// receive hands on what a connection brings from the bearer of a certificate.
func (t *transport) receive(c *incoming, conn net.Conn, cert *x509.Certificate) error {
	frames := &reader{conn: conn, encrypted: t.encrypted()}
	stranger := !t.encrypted()
	for {
		wait := idleTimeout
		if stranger {
			wait = firstTimeout
		}
		kind, payload, err := frames.next(wait)
		if errors.Is(err, errEnd) {
			return writeStep(conn, end[:])
		}
		if err != nil {
			return err
		}
		if err := t.deliver(kind, payload, cert); err != nil {
			return err
		}
		if stranger {
			t.known(c)
			stranger = false
		}
	}
}

func (t *transport) deliver(kind uint16, payload []byte, cert *x509.Certificate) error {
	if kind == kindMessages {
		batch := raftpb.MessageBatch{}
		if err := batch.Unmarshal(payload); err != nil {
			return fmt.Errorf("messages of Raft can't be decoded: %w", err)
		}
		if t.speaks != nil && cert != nil {
			if err := t.speaks(cert, batch.SourceAddress); err != nil {
				t.log.Warn("messages of Raft are refused", "reason", err)
				return err
			}
		}
		t.messages(batch)
		return nil
	}
	chunk := raftpb.Chunk{}
	if err := chunk.Unmarshal(payload); err != nil {
		return fmt.Errorf("a chunk of a snapshot can't be decoded: %w", err)
	}
	if !t.chunks(chunk) {
		return errors.New("a chunk of a snapshot was not taken")
	}
	return nil
}
