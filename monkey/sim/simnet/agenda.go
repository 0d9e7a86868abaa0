// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"cmp"
	"time"
)

// agenda is what is under way on all links, in the order in which it arrives.
// One timer serves all of it. Guarded by the network's lock.
type agenda struct {
	arrivals arrivals
	seq      uint64 // given to arrivals, in the order in which they were sent
	timer    *time.Timer
	armed    time.Duration // when the timer fires, if it is set
	handing  bool          // arrivals of this instant are being handed over
}

// arrival is something that is there at an instant: Raft messages, or else bytes
// of a stream that can be read.
type arrival struct {
	due   time.Duration
	seq   uint64
	conn  *messageConn
	batch delivery
	pipe  *pipe
}

// arrivals is a heap: the one at i is before those at 2i+1 and 2i+2. It is not one
// of container/heap, which allocates memory for each that comes and goes.
type arrivals []arrival

func (a arrivals) before(i, j int) bool {
	return cmp.Or(cmp.Compare(a[i].due, a[j].due), cmp.Compare(a[i].seq, a[j].seq)) < 0
}

func (a *arrivals) push(x arrival) {
	*a = append(*a, x)
	h := *a
	for i := len(h) - 1; i > 0 && h.before(i, (i-1)/2); i = (i - 1) / 2 {
		h[i], h[(i-1)/2] = h[(i-1)/2], h[i]
	}
}

// pop takes the first off.
func (a *arrivals) pop() arrival {
	h, last := *a, len(*a)-1
	first := h[0]
	h[0], h[last] = h[last], arrival{}
	h = h[:last]
	*a = h
	for i := 0; ; {
		least := i
		for _, child := range []int{2*i + 1, 2*i + 2} {
			if child < last && h.before(child, least) {
				least = child
			}
		}
		if least == i {
			return first
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

// expect puts an arrival on the agenda.
func (n *Network) expect(a arrival) {
	n.agenda.seq++
	a.seq = n.agenda.seq
	n.agenda.arrivals.push(a)
	n.arm()
}

// arm sets the timer for the next arrival.
func (n *Network) arm() {
	g := &n.agenda
	if g.handing || len(g.arrivals) == 0 || n.closed {
		return
	}
	due := g.arrivals[0].due
	switch wait := due - n.now(); {
	case g.timer == nil:
		g.timer = time.AfterFunc(wait, n.handOver)
	case g.armed != due:
		g.timer.Reset(wait)
	}
	g.armed = due
}

// handOver hands over what is due. It is the function of the timer.
func (n *Network) handOver() {
	n.mu.Lock()
	defer n.mu.Unlock()
	g := &n.agenda
	if n.closed || g.handing {
		return
	}
	n.pumps.Add(1)
	defer n.pumps.Done()
	g.handing, g.armed = true, -1
	for len(g.arrivals) > 0 && g.arrivals[0].due <= n.now() && !n.closed {
		a := g.arrivals.pop()
		if a.pipe != nil {
			if a.pipe.has() {
				signal(a.pipe.readable)
			}
			continue
		}
		if a.conn.link.arrives(a.batch) {
			n.audit(a.conn.link, a.batch)
			n.mu.Unlock()
			a.batch.handOver()
			n.mu.Lock()
		}
		a.conn.underWay--
	}
	g.handing = false
	n.arm()
}

// arrivalOf is when something arrives that leaves at an instant and takes a time:
// at once, or at the end of the slot into which it falls.
func (n *Network) arrivalOf(departure, latency time.Duration) time.Duration {
	due := departure + latency
	if due > n.now() && n.slot > 0 {
		due = (due + n.slot - 1) / n.slot * n.slot
	}
	return due
}
