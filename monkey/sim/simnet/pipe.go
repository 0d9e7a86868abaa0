// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"math"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
)

// heldBack is when bytes arrive that a cut or a silent host keeps back.
const heldBack = time.Duration(math.MaxInt64)

// pipe is one direction of a stream: the bytes that were written and not yet
// read, in order. Guarded by the network's lock.
type pipe struct {
	id   uint64 // in order of creation
	net  *Network
	link *link
	from *conn // writes
	to   *conn // reads

	segs    []segment // due never decreases
	size    int       // bytes in segs; at most window
	lastDue time.Duration

	// A token in one of these wakes one waiting goroutine to look again.
	readable chan struct{}
	writable chan struct{}
}

// segment is bytes that arrive together, or with fin the end of the stream.
type segment struct {
	data    []byte
	departs time.Duration
	due     time.Duration
	fin     bool
}

func newPipe(l *link, from, to *conn) *pipe {
	p := &pipe{id: l.net.newID(), net: l.net, link: l, from: from, to: to, readable: make(chan struct{}, 1), writable: make(chan struct{}, 1)}
	l.pipes[p.id] = p
	return p
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// send puts a copy of data, or the end of the stream, on its way.
func (p *pipe) send(data []byte, fin bool) {
	exact.Note(data)
	p.size += len(data)
	departs, due := p.from.proc.departure(p.net, p.link.pair.to), heldBack
	if p.link.blocked() || p.to.gone() {
		p.link.counts.BytesHeld += int64(len(data))
		p.from.stalls()
	} else {
		due = max(p.link.streamArrival(departs, len(data)), p.lastDue)
		p.lastDue = due
	}
	if last := len(p.segs) - 1; last >= 0 && !fin && !p.segs[last].fin && p.segs[last].due == due && p.segs[last].departs == departs {
		p.segs[last].data = append(p.segs[last].data, data...)
	} else {
		p.segs = append(p.segs, segment{append([]byte(nil), data...), departs, due, fin})
		p.announce(due)
	}
}

// announce wakes a reader when bytes arrive.
func (p *pipe) announce(due time.Duration) {
	switch {
	case due == heldBack:
	case due <= p.net.now():
		signal(p.readable)
	default:
		p.net.expect(arrival{due: due, pipe: p})
	}
}

// read takes bytes that have arrived. eof says that no more will come.
func (p *pipe) read(buf []byte) (n int, eof bool) {
	for n < len(buf) && p.has() && !p.segs[0].fin {
		s := &p.segs[0]
		k := copy(buf[n:], s.data)
		n += k
		if s.data = s.data[k:]; len(s.data) == 0 {
			p.pop()
		}
	}
	if n > 0 {
		p.size -= n
		p.link.counts.BytesDelivered += int64(n)
		signal(p.writable)
	}
	if p.has() {
		signal(p.readable) // for another reader
		eof = n == 0 && p.segs[0].fin
	}
	return n, eof
}

// has reports whether something has arrived.
func (p *pipe) has() bool { return len(p.segs) > 0 && p.segs[0].due <= p.net.now() }

func (p *pipe) pop() {
	p.segs[0] = segment{}
	p.segs = p.segs[1:]
}

// hold keeps back what has not arrived yet.
func (p *pipe) hold() {
	now := p.net.now()
	for i := range p.segs {
		if s := &p.segs[i]; s.due > now && s.due != heldBack {
			s.due = heldBack
			p.link.counts.BytesHeld += int64(len(s.data))
			p.from.stalls()
		}
	}
}

// release sends again what was kept back.
func (p *pipe) release() {
	if p.to.gone() {
		return
	}
	for i := range p.segs {
		if s := &p.segs[i]; s.due == heldBack {
			p.lastDue = max(p.link.streamArrival(max(p.net.now()+retransmit, s.departs), len(s.data)), p.lastDue)
			s.due = p.lastDue
			p.announce(s.due)
		}
	}
	p.from.flows()
}

// drop forgets the bytes for which lost reports true, from the first one on.
func (p *pipe) drop(lost func(segment) bool) {
	for i, s := range p.segs {
		if lost(s) {
			p.segs = p.segs[:i]
			break
		}
	}
	p.size = 0
	for _, s := range p.segs {
		p.size += len(s.data)
	}
}

// arrived forgets the bytes that have reached the receiver, who is no more.
func (p *pipe) arrived() {
	for p.has() {
		p.size -= len(p.segs[0].data)
		p.pop()
	}
}
