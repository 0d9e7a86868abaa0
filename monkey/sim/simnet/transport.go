// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
	pb "github.com/lni/dragonboat/v3/raftpb"
)

// Transport returns the factory of Dragonboat's transport for the present
// incarnation of a host, for config.ExpertConfig.TransportFactory. The
// NodeHost's RaftAddress has to be on that host.
func (n *Network) Transport(host string) config.TransportFactory {
	return &factory{net: n, proc: n.process(host)}
}

type factory struct {
	net  *Network
	proc *process
}

// Create makes a transport that Dragonboat starts and stops.
func (f *factory) Create(c config.NodeHostConfig, messages raftio.MessageHandler, chunks raftio.ChunkHandler) raftio.ITransport {
	return &transport{net: f.net, proc: f.proc, addr: c.RaftAddress, messages: messages, chunks: chunks, label: Labeller(f.proc.host.name)}
}

// Validate accepts every address of the form host:anything.
func (*factory) Validate(addr string) bool {
	_, ok := hostOf(addr)
	return ok
}

// transport is where one NodeHost sends from and receives at.
type transport struct {
	net      *Network
	proc     *process
	addr     string
	messages raftio.MessageHandler
	chunks   raftio.ChunkHandler
	label    func() // of goroutines that run its handlers

	stopped bool           // guarded by the network's lock
	serving sync.WaitGroup // handlers at work; grows only while not stopped
}

// Name is what logs call it.
func (*transport) Name() string { return "simnet" }

// Start makes the transport known under its address. One of a dead process is known to
// nobody, and that is no error.
func (t *transport) Start() error {
	t.net.mu.Lock()
	defer t.net.mu.Unlock()
	if h, _ := hostOf(t.addr); h != t.proc.host.name {
		return fmt.Errorf("RaftAddress %s is not on host %s, whose transport was asked for", t.addr, t.proc.host.name)
	}
	if t.proc.transports[t.addr] != nil {
		return fmt.Errorf("listen on %s: %w", t.addr, syscall.EADDRINUSE)
	}
	t.proc.transports[t.addr] = t
	return nil
}

// Stop ends the transport and returns when no handler is at work any more.
func (t *transport) Stop() {
	t.net.mu.Lock()
	t.stopped = true
	if t.proc.transports[t.addr] == t {
		delete(t.proc.transports, t.addr)
	}
	t.net.mu.Unlock()
	t.serving.Wait()
}

// alive reports whether the transport receives. The network is locked.
func (t *transport) alive() bool { return !t.stopped && !t.proc.isDead() }

// enter keeps the transport from being stopped while a handler runs, until
// leave. It returns false if nothing is to be received. The network is locked.
func (t *transport) enter() bool {
	if !t.alive() {
		return false
	}
	t.serving.Add(1)
	return true
}

func (t *transport) leave() { t.serving.Done() }

// take takes messages that have arrived.
func (t *transport) take(b pb.MessageBatch) {
	if t.net.watch != nil {
		t.net.watch(t.proc.host.name, b.Requests)
	}
	t.messages(b)
}

// GetConnection connects to another NodeHost for messages. It waits while no
// packets pass.
func (t *transport) GetConnection(ctx context.Context, target string) (raftio.IConnection, error) {
	w, err := t.connect(ctx, target)
	if err != nil {
		return nil, err
	}
	return &messageConn{wire: w}, nil
}

// GetSnapshotConnection connects to another NodeHost for a snapshot. It waits
// while no packets pass.
func (t *transport) GetSnapshotConnection(ctx context.Context, target string) (raftio.ISnapshotConnection, error) {
	w, err := t.connect(ctx, target)
	if err != nil {
		return nil, err
	}
	return &chunkConn{w}, nil
}

// wire is a connection between two transports.
type wire struct {
	net  *Network
	link *link
	from *transport
	to   *transport // nil when the process of from is dead
	// resets is that of the link when the connection was made.
	resets uint64
}

func (t *transport) connect(ctx context.Context, target string) (wire, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	w := wire{net: t.net, from: t}
	err := t.net.reach(ctx, t.proc, target, func(h *machine) error {
		if w.to = h.proc.transports[target]; w.to == nil || !w.to.alive() {
			return syscall.ECONNREFUSED
		}
		w.link = t.net.link(t.proc.host.name, h.name)
		w.resets = w.link.resets
		return nil
	})
	if err == errGhost {
		return w, nil
	}
	return w, err
}

// check returns the state of the connection: whether something sent now
// goes through, whether it was answered with a reset, or, when neither, that
// it is met by silence. The network is locked.
func (w wire) check() (through bool, err error) {
	switch {
	case w.to == nil || w.from.proc.isDead():
		return false, errGhost
	case w.from.stopped:
		return false, syscall.ECONNABORTED
	case w.resets != w.link.resets:
		w.link.counts.Resets++
		return false, syscall.ECONNRESET
	case w.link.q.Cut:
		return false, nil
	case w.to.alive():
		return true, nil
	case w.net.passes(w.from.proc.host, w.to.proc.host):
		w.link.counts.Resets++
		return false, syscall.ECONNRESET
	}
	return false, nil
}

// messageConn sends Raft messages. What is sent on one arrives in order; between
// two of them nothing is ordered. Its own fields are guarded by the network's
// lock.
type messageConn struct {
	wire
	lastDue  time.Duration // when the last message that was sent in order arrives
	underWay int           // batches that were sent and not handed over
}

// Close does nothing: the receiver keeps nothing for a connection.
func (*messageConn) Close() {}

// SendMessageBatch hands messages over, on this goroutine when they take no
// time. It never waits for the network. An error is a reset; messages that
// just get lost are no error, nor is anything that a dead process sends.
func (c *messageConn) SendMessageBatch(batch pb.MessageBatch) error {
	n, msgs := c.net, int64(len(batch.Requests))
	n.mu.Lock()
	through, err := c.check()
	if err == errGhost {
		n.mu.Unlock()
		return nil
	}
	if n.sent != nil {
		n.sent(c.from.proc.host.name, batch.Requests)
	}
	l := c.link
	if !through {
		if l != nil && l.q.Cut {
			l.counts.CutOff += msgs
		} else {
			l.counts.Dead += msgs
		}
		n.mu.Unlock()
		return err
	}
	if !l.prompt() || c.underWay > 0 || c.from.proc.departure(n, l.pair.to) > n.now() {
		defer n.mu.Unlock()
		return c.send(batch)
	}
	l.counts.Delivered += msgs
	c.to.serving.Add(1) // it is alive
	n.mu.Unlock()
	defer c.to.leave()
	copied, err := n.copyBatch(batch)
	if err == nil {
		c.to.receive(c.from, func() { c.to.take(copied) })
	}
	return err
}

// chunkConn sends the chunks of a snapshot.
type chunkConn struct{ wire }

// Close does nothing: the receiver keeps nothing for a connection.
func (*chunkConn) Close() {}

// SendChunk hands a chunk over on this goroutine, after the time that it takes.
// While nothing passes it waits, as a stream does, until the connection is
// given up.
func (c *chunkConn) SendChunk(chunk pb.Chunk) error {
	err := c.arrive(int64(len(chunk.Data)))
	if err == errGhost {
		return nil
	}
	if err != nil {
		return err
	}
	defer c.to.leave()
	copied, err := copyChunk(chunk)
	if err != nil {
		return err
	}
	if c.net.chunk != nil {
		c.net.chunk(c.to.proc.host.name, &copied)
	}
	taken := false
	c.to.receive(c.from, func() { taken = c.to.chunks(copied) })
	if !taken {
		return syscall.ECONNRESET
	}
	return nil
}

// arrive waits until something sent now is there. Without an error the
// receiver is held until its leave.
func (c *chunkConn) arrive(size int64) error {
	giveUp := time.NewTimer(stallTimeout)
	defer giveUp.Stop()
	n, held, sent := c.net, false, false
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		through, err := c.check()
		if err != nil {
			return err
		}
		through = through && !c.link.q.Hold
		if through && !sent {
			sent = true
			if c.link.chance(c.link.q.Corrupt) { // Dragonboat's transport checks a checksum
				c.link.counts.Corrupted++
				c.link.counts.Resets++
				return syscall.ECONNRESET
			}
			latency, added := c.link.streamLatency()
			if added > 0 {
				c.link.counts.Delayed++
			}
			departs := c.from.proc.departure(n, c.link.pair.to)
			if d := n.arrivalOf(departs+c.link.queue(departs, int(size)), latency) - n.now(); d > 0 {
				n.mu.Unlock()
				sleep(d, c.from.proc.dead)
				n.mu.Lock()
			}
			continue
		}
		if through {
			c.link.counts.Delivered++
			c.to.serving.Add(1)
			return nil
		}
		if !held {
			held = true
			c.link.counts.BytesHeld += size
		}
		sent = false
		if err := n.pause(giveUp.C, c.from.proc.dead); err != nil {
			c.link.counts.Resets++
			return err
		}
	}
}

// sleep sleeps until the process dies.
func sleep(d time.Duration, dead <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-dead:
	}
}

// pause lets go of the network until something changes on it. The error
// says that the time is up.
func (n *Network) pause(giveUp <-chan time.Time, dead <-chan struct{}) error {
	changed := n.changed
	n.mu.Unlock()
	defer n.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-dead:
		return nil
	case <-giveUp:
		return syscall.ETIMEDOUT
	}
}
