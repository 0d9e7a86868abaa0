// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// conn is one end of a stream. Its fields but the constant ones are guarded by
// the network's lock.
type conn struct {
	id            uint64 // in order of creation
	net           *Network
	proc          *process
	local, remote addr
	peer          *conn
	in, out       *pipe

	closed  bool
	broken  error         // why nothing works any more; nil while it does
	done    chan struct{} // closed when the end is closed or broken
	stall   *time.Timer   // runs while written bytes are held back
	readBy  deadline
	writeBy deadline
}

var _ net.Conn = (*conn)(nil)

// addr is the address of an end of a stream.
type addr string

func (addr) Network() string  { return "sim" }
func (a addr) String() string { return string(a) }

// newStream connects two processes. The network is locked.
func (n *Network) newStream(client, server *process, to string) (*conn, *conn) {
	c := &conn{net: n, proc: client, local: addr(client.host.name + ":client"), remote: addr(to), done: make(chan struct{})}
	s := &conn{net: n, proc: server, local: c.remote, remote: c.local, done: make(chan struct{})}
	c.peer, s.peer = s, c
	c.out = newPipe(n.link(client.host.name, server.host.name), c, s)
	s.out = newPipe(n.link(server.host.name, client.host.name), s, c)
	c.in, s.in = s.out, c.out
	for _, e := range []*conn{c, s} {
		e.readBy.passed, e.writeBy.passed = make(chan struct{}), make(chan struct{})
		e.id = n.newID()
		e.proc.conns[e.id] = e
	}
	return c, s
}

func (c *conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "sim", Source: c.local, Addr: c.remote, Err: err}
}

// Read reads what has arrived and waits for it if there is nothing.
func (c *conn) Read(p []byte) (int, error) {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	for {
		if c.closed {
			return 0, c.fail("read", net.ErrClosed)
		}
		if c.readBy.isPast() {
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		}
		n, eof := c.in.read(p)
		if n > 0 || len(p) == 0 {
			return n, nil
		}
		if eof {
			return 0, io.EOF
		}
		if c.broken != nil {
			return 0, c.fail("read", c.broken)
		}
		c.block(c.in.readable, &c.readBy)
	}
}

// Write writes all of p, which takes waiting while the window is full.
func (c *conn) Write(p []byte) (int, error) {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	for written := 0; ; {
		if err := c.mayWrite(); err != nil {
			return written, c.fail("write", err)
		}
		if k := min(len(p)-written, window-c.out.size); k > 0 {
			c.out.send(p[written:written+k], false)
			written += k
		}
		if written == len(p) {
			if c.out.size < window {
				signal(c.out.writable) // for another writer
			}
			return written, nil
		}
		c.block(c.out.writable, &c.writeBy)
	}
}

// mayWrite is the reason why nothing can be written, if there is one. Writing
// to an end that is gone is how one learns of it, if packets pass.
func (c *conn) mayWrite() error {
	switch {
	case c.closed:
		return net.ErrClosed
	case c.writeBy.isPast():
		return os.ErrDeadlineExceeded
	case c.broken == nil && c.peer.gone() && c.net.passes(c.proc.host, c.peer.proc.host):
		c.reset(syscall.ECONNRESET)
	}
	return c.broken
}

// block lets go of the network until there may be something to do.
func (c *conn) block(token <-chan struct{}, by *deadline) {
	passed := by.passed
	c.net.mu.Unlock()
	defer c.net.mu.Lock()
	select {
	case <-token:
	case <-passed:
	case <-c.done:
	}
}

// Close ends the stream: the peer reads to the end of what was written.
func (c *conn) Close() error {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	if !c.gone() {
		c.out.send(nil, true)
		c.in.drop(func(segment) bool { return true })
		signal(c.in.writable)
	}
	c.closed = true
	c.leave()
	return nil
}

// gone reports whether nothing reads what is written to this end any more.
func (c *conn) gone() bool { return c.closed || c.broken != nil }

// reset breaks this end: bytes that have arrived can still be read, then
// everything fails with err.
func (c *conn) reset(err error) {
	if c.gone() {
		return
	}
	now := c.net.now()
	c.in.link.counts.Resets++
	c.in.drop(func(s segment) bool { return s.due > now })
	c.broken = err
	c.leave()
}

// leave cleans up behind an end that is closed or broken, once or again.
func (c *conn) leave() {
	delete(c.proc.conns, c.id)
	c.flows()
	c.readBy.clear()
	c.writeBy.clear()
	select {
	case <-c.done:
	default:
		close(c.done)
	}
	if c.peer.gone() {
		delete(c.out.link.pipes, c.out.id)
		delete(c.in.link.pipes, c.in.id)
	}
}

// orphan ends this end together with its process. With reset the kernel resets
// the connection, if packets pass in that direction.
func (c *conn) orphan(reset bool) {
	if c.gone() {
		return
	}
	c.broken = errGhost
	c.out.drop(func(s segment) bool { return s.due == heldBack || !c.proc.sent(s.departs) })
	c.in.arrived()
	c.in.hold()
	c.leave()
	if reset && !c.out.link.q.Cut {
		c.peer.reset(syscall.ECONNRESET)
	}
}

// recheck breaks this end if what it sent to a peer that is gone can now be
// answered.
func (c *conn) recheck() {
	if !c.gone() && c.peer.gone() && c.out.size > 0 && c.net.passes(c.proc.host, c.peer.proc.host) {
		c.reset(syscall.ECONNRESET)
	}
}

// stalls notes that written bytes are held back; after a while the kernel
// gives the stream up.
func (c *conn) stalls() {
	if c.stall != nil || c.gone() {
		return
	}
	var t *time.Timer
	t = time.AfterFunc(stallTimeout, func() {
		c.net.mu.Lock()
		defer c.net.mu.Unlock()
		if c.stall == t {
			c.reset(syscall.ETIMEDOUT)
		}
	})
	c.stall = t
}

// flows notes that nothing is held back any more.
func (c *conn) flows() {
	if c.stall != nil {
		c.stall.Stop()
		c.stall = nil
	}
}

// LocalAddr is the listener's address on its side, host:client on the other.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the peer's LocalAddr.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *conn) SetDeadline(t time.Time) error { return c.setDeadlines(t, &c.readBy, &c.writeBy) }

// SetReadDeadline ends waiting and future Reads at t; the zero time means never.
func (c *conn) SetReadDeadline(t time.Time) error { return c.setDeadlines(t, &c.readBy) }

// SetWriteDeadline ends waiting and future Writes at t; the zero time means
// never.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.setDeadlines(t, &c.writeBy) }

func (c *conn) setDeadlines(t time.Time, ds ...*deadline) error {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	for _, d := range ds {
		d.set(c.net, t)
	}
	return nil
}
