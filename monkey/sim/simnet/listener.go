// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
)

// backlog is how many connections wait for Accept before dials are refused.
const backlog = 128

// listener hands out the streams that are dialled to an address.
type listener struct {
	net  *Network
	proc *process
	addr addr

	closeOnce sync.Once
	closed    chan struct{}
	waiting   chan *conn // sent to with the network locked, never when full
}

// Listen accepts streams to an address on a host, for its present incarnation.
func (n *Network) Listen(host, address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.host(host).proc
	switch h, _ := hostOf(address); {
	case h != host:
		return nil, fmt.Errorf("listen on %s: the address is not on host %s", address, host)
	case p.isDead():
		return nil, fmt.Errorf("listen on %s: host %s is down", address, host)
	case p.listeners[address] != nil:
		return nil, fmt.Errorf("listen on %s: %w", address, syscall.EADDRINUSE)
	}
	l := &listener{net: n, proc: p, addr: addr(address), closed: make(chan struct{}), waiting: make(chan *conn, backlog)}
	p.listeners[address] = l
	return l, nil
}

// Accept waits for the next stream.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed: // also when streams are waiting
	default:
		select {
		case c := <-l.waiting:
			return c, nil
		case <-l.closed:
		}
	}
	return nil, &net.OpError{Op: "accept", Net: "sim", Addr: l.addr, Err: net.ErrClosed}
}

// Close frees the address and resets the streams that nobody accepted.
func (l *listener) Close() error {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	if l.proc.listeners[l.addr.String()] == l {
		delete(l.proc.listeners, l.addr.String())
	}
	l.abandon()
	for {
		select {
		case c := <-l.waiting:
			c.orphan(true)
		default:
			return nil
		}
	}
}

// Addr is the address listened on.
func (l *listener) Addr() net.Addr { return l.addr }

// abandon ends Accept.
func (l *listener) abandon() { l.closeOnce.Do(func() { close(l.closed) }) }

// Dialer returns a function that opens streams from the present incarnation of
// a host, such as grpc.WithContextDialer takes. It waits while no packets pass,
// and is refused where a machine runs but nothing listens.
func (n *Network) Dialer(host string) func(ctx context.Context, address string) (net.Conn, error) {
	p := n.process(host)
	return func(ctx context.Context, address string) (net.Conn, error) {
		var c *conn
		err := n.reach(ctx, p, address, func(h *machine) error {
			l := h.proc.listeners[address]
			if l == nil || h.proc.isDead() || len(l.waiting) == cap(l.waiting) {
				return syscall.ECONNREFUSED
			}
			var s *conn
			c, s = n.newStream(p, h.proc, address)
			l.waiting <- s
			return nil
		})
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}
