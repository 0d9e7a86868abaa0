// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/latency"
)

// Link is what is wrong with one direction between two hosts. The zero value is
// a link that works as it should. Probabilities are from 0 to 1.
type Link struct {
	Cut       bool          // nothing passes
	Drop      float64       // that a Raft message is lost, or bytes of a stream are sent again
	Duplicate float64       // that a Raft message arrives twice
	Reorder   float64       // that a Raft message arrives behind later ones
	Corrupt   float64       // that a batch of Raft messages, a chunk or bytes of a stream arrive with a flipped bit
	Bandwidth int64         // bytes a second; 0: any number
	Hold      bool          // what is sent waits until this ends, and then arrives in any order
	Delay     time.Duration // one way, added to the link's latency
	Jitter    time.Duration // added, uniformly from [0, Jitter)
}

func (q Link) check() error {
	for _, p := range []float64{q.Drop, q.Duplicate, q.Reorder, q.Corrupt} {
		if !(p >= 0 && p <= 1) {
			return fmt.Errorf("a probability on a link is from 0 to 1, not %v", p)
		}
	}
	if q.Delay < 0 || q.Jitter < 0 || q.Bandwidth < 0 {
		return fmt.Errorf("delay %v, jitter %v and bandwidth %d of a link may not be negative", q.Delay, q.Jitter, q.Bandwidth)
	}
	return nil
}

// prompt reports whether messages pass at once, in order, each exactly once.
func (l *link) prompt() bool {
	q := l.q
	q.Cut = false
	return q == Link{} && l.base.IsZero()
}

// link is a Link at work. Guarded by the network's lock.
type link struct {
	net    *Network
	pair   pair
	base   latency.Distribution // of a link that works as it should
	q      Link
	rng    *rand.Rand
	counts Counts
	pipes  map[uint64]*pipe // streams in this direction, by id
	held   []heldBatch      // while q.Hold, oldest first
	idleAt time.Duration    // when what was sent with a limited bandwidth has left
	resets uint64           // of the connections for Raft messages, see ResetConnections
}

// SetLink replaces the quality of the link from one host to another.
func (n *Network) SetLink(from, to string, q Link) error {
	if err := q.check(); err != nil {
		return err
	}
	if from == to {
		return fmt.Errorf("host %s has no link to itself", from)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.host(from)
	n.host(to)
	n.link(from, to).set(q)
	n.wake()
	return nil
}

// Link returns the quality of a link.
func (n *Network) Link(from, to string) Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link(from, to).q
}

// HealAll makes every link perfect.
func (n *Network) HealAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.inOrder() {
		l.set(Link{})
	}
	n.wake()
}

// CutOneWay cuts the link from one host to another and leaves the rest of its
// quality as it is.
func (n *Network) CutOneWay(from, to string) { n.cut(true, [2]string{from, to}) }

// Cut cuts both links between two hosts.
func (n *Network) Cut(a, b string) { n.cut(true, [2]string{a, b}, [2]string{b, a}) }

// Heal ends the cut of both links between two hosts.
func (n *Network) Heal(a, b string) { n.cut(false, [2]string{a, b}, [2]string{b, a}) }

// Partition cuts the links between hosts of different groups. Hosts in no
// group keep theirs.
func (n *Network) Partition(groups ...[]string) {
	var ends [][2]string
	for i, g := range groups {
		for j, h := range groups {
			if i == j {
				continue
			}
			for _, a := range g {
				for _, b := range h {
					ends = append(ends, [2]string{a, b})
				}
			}
		}
	}
	n.cut(true, ends...)
}

// Isolate cuts all links of a host to the hosts that were ever named.
func (n *Network) Isolate(name string) {
	n.mu.Lock()
	var ends [][2]string
	for _, other := range slices.Sorted(maps.Keys(n.hosts)) {
		if other != name {
			ends = append(ends, [2]string{name, other}, [2]string{other, name})
		}
	}
	n.mu.Unlock()
	n.cut(true, ends...)
}

func (n *Network) cut(cut bool, ends ...[2]string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range ends {
		if e[0] == e[1] {
			continue
		}
		n.host(e[0])
		n.host(e[1])
		l := n.link(e[0], e[1])
		q := l.q
		q.Cut = cut
		l.set(q)
	}
	n.wake()
}

func (l *link) set(q Link) {
	was := l.blocked()
	l.q = q
	if q.Bandwidth == 0 {
		l.idleAt = 0
	}
	for _, p := range l.pipesInOrder() {
		if l.blocked() && !was {
			p.hold()
		} else if was && !l.blocked() {
			p.release()
		}
	}
	if !q.Hold {
		l.letGo()
	}
}

// blocked reports whether nothing arrives at present.
func (l *link) blocked() bool { return l.q.Cut || l.q.Hold }

// inOrder lists the links by the names of their ends: what is done to all of
// them is done in the same order in every run.
func (n *Network) inOrder() []*link {
	return slices.SortedFunc(maps.Values(n.links), func(a, b *link) int {
		return cmp.Or(cmp.Compare(a.pair.from, b.pair.from), cmp.Compare(a.pair.to, b.pair.to))
	})
}

// pipesInOrder lists the streams by their age.
func (l *link) pipesInOrder() []*pipe {
	return slices.SortedFunc(maps.Values(l.pipes), func(a, b *pipe) int { return cmp.Compare(a.id, b.id) })
}

// chance draws whether something of the given probability happens.
func (l *link) chance(p float64) bool { return p > 0 && l.rng.Float64() < p }

// latency draws how long something takes to the other end, and how much of it is
// what the link's quality adds.
func (l *link) latency() (total, added time.Duration) {
	added = l.q.Delay
	if l.q.Jitter > 0 {
		added += time.Duration(l.rng.Int64N(int64(l.q.Jitter)))
	}
	return l.base.Draw(l.rng) + added, added
}

// streamLatency is the latency of bytes that are sent again until they arrive.
func (l *link) streamLatency() (total, added time.Duration) {
	total, added = l.latency()
	for wait := retransmit; wait < 32*retransmit && l.needsRetransmit(); wait *= 2 {
		total, added = total+wait, added+wait
	}
	return total, added
}

// needsRetransmit reports whether bytes of a stream were lost, or did not match
// TCP's checksum, which is the same for a stream.
func (l *link) needsRetransmit() bool {
	if l.chance(l.q.Drop) {
		return true
	}
	if l.chance(l.q.Corrupt) {
		l.counts.Corrupted++
		return true
	}
	return false
}

// streamArrival is when so many bytes arrive that leave at an instant.
func (l *link) streamArrival(departure time.Duration, size int) time.Duration {
	latency, _ := l.streamLatency()
	return l.net.arrivalOf(departure+l.queue(departure, size), latency)
}

// arrives reports whether a message that was under way reaches its receiver, and
// counts what became of it. If it does, the receiver is held until handOver.
func (l *link) arrives(d delivery) bool {
	msgs := int64(len(d.batch.Requests))
	switch {
	case l.q.Cut:
		l.counts.CutOff += msgs
	case d.resets != l.resets:
		l.counts.Lost += msgs
	case !d.from.sent(d.departs) || !d.to.enter():
		l.counts.Dead += msgs
	default:
		l.counts.Delivered += msgs
		return true
	}
	return false
}
