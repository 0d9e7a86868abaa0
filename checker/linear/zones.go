// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"cmp"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// The zone algorithm for histories in which each observed value was written
// once; see docs/checker.md for the proof. It follows Gibbons and Korach,
// "Testing Shared Memories" (1997), with chains of read-modify-writes, unknown
// outcomes and strict comparison of times.
//
// A state's writer, its reads and the cas that consumed it meet in one slot.
// The zero slot is empty: times are stored such that zero is neutral.
type slot struct {
	call     int64  // the writer's
	ret      int64  // the writer's
	readCall uint64 // greatest call of the reads, with the sign bit turned; 0 for none
	readRet  uint64 // history.Never minus the least return of the reads; 0 for none
	// pred is what the writer consumed: 0 without a writer, isPut for one
	// that consumes nothing, with the linked bit if next[pred] is this state.
	pred stateID
	// next is the state whose effective writer consumed this one.
	next stateID
}

const (
	isPut  stateID = 1
	linked stateID = 1 << 31
)

const signBit = 1 << 63

func (s *slot) sawRead(call, ret int64) {
	s.readCall = max(s.readCall, uint64(call)^signBit)
	s.readRet = max(s.readRet, uint64(history.Never)-uint64(ret))
}

func (s *slot) wasRead() bool           { return s.readCall|s.readRet != 0 }
func (s *slot) greatestReadCall() int64 { return int64(s.readCall ^ signBit) }
func (s *slot) leastReadRet() int64     { return int64(uint64(history.Never) - s.readRet) }
func (s *slot) isRmw() bool             { return s.pred&^linked > isPut }
func (s *slot) unknown() bool           { return s.ret == history.Never }

// zone is where a block (a put and the chain of cas that starts at it) must
// be whole: first is the least return in it, last the greatest call. A block
// with first < last is called forward, any other backward.
type zone struct{ first, last int64 }

// zones judges one key after the other, in the same memory.
type zones struct {
	log               *keyLog
	slots             []slot
	forward, backward []zone // those of the blocks
	// bad and dup say whether the key is illegal, and whether a value was
	// written to it twice, which puts it outside the fragment.
	bad, dup bool
	cas      []stateID // what cas wrote
	linkedN  int
}

// run judges a key; afterwards, if it is neither dup nor outside by the log,
// it is linearizable iff it is not bad. A key outside because of refutes alone
// is not linearizable if it is bad.
func (z *zones) run(k *keyLog) {
	z.log, z.bad, z.dup, z.linkedN = k, false, false, 0
	z.slots = zeroed(z.slots, len(k.states))
	z.fold()
	for _, id := range z.cas {
		if s := &z.slots[id]; s.pred&linked == 0 && (!s.unknown() || s.wasRead()) {
			z.link(id)
		}
	}
	if walked := z.blocks(); walked != z.linkedN {
		z.bad = true // effective cas consumed each other in a circle
	}
	if !z.bad && !z.dup {
		z.bad = clash(z.forward, z.backward)
	}
}

// zeroed returns n zero slots, in the same memory if there is enough.
func zeroed(slots []slot, n int) []slot {
	if cap(slots) < n {
		return make([]slot, n)
	}
	slots = slots[:n]
	clear(slots)
	return slots
}

// fold brings every operation into the slots of its states.
func (z *zones) fold() {
	slots, cas := z.slots, z.cas[:0]
	slots[initial] = slot{call: longAgo, ret: longAgo, pred: isPut}
	for _, chunk := range z.log.chunks {
		for i := range chunk {
			e := &chunk[i]
			switch e.kind {
			case read:
				slots[e.seen].sawRead(e.call, e.ret)
			case write, rmw:
				s := &slots[e.value]
				if s.pred != 0 {
					z.dup = true
					continue
				}
				s.call, s.ret, s.pred = e.call, e.ret, isPut
				if e.kind == rmw {
					s.pred = e.seen
					cas = append(cas, e.value)
				}
			case impossible:
				z.bad = true
			}
		}
	}
	z.cas = cas
}

// link links one effective cas, and the unknown ones that its being effective
// makes effective.
func (z *zones) link(id stateID) {
	for {
		s := &z.slots[id]
		p := &z.slots[s.pred]
		if p.pred == 0 || p.next != 0 {
			z.bad = true // nobody wrote it, or it was consumed twice
			return
		}
		p.next = id
		before := s.pred
		s.pred |= linked
		z.linkedN++
		if !p.isRmw() || p.pred&linked != 0 || !p.unknown() {
			return
		}
		id = before
	}
}

// blocks walks every block that starts at a put, and collects the zones. A
// block that is illegal within makes the key bad. walked counts the cas that
// were met.
func (z *zones) blocks() (walked int) {
	if n := z.log.writes + 1; cap(z.forward) < n {
		z.forward, z.backward = make([]zone, n), make([]zone, n)
	}
	forward, backward := z.forward[:cap(z.forward)], z.backward[:cap(z.forward)]
	f, n := 0, 0
	for id := firstState; int(id) < len(z.slots); id++ {
		s := &z.slots[id]
		if s.pred != isPut {
			if s.pred == 0 && s.wasRead() {
				z.bad = true // nobody wrote it
			}
			continue
		}
		if s.unknown() && s.next == 0 && !s.wasRead() {
			continue
		}
		b, steps, ok := z.walk(id)
		walked += steps
		if !ok {
			z.bad = true
		}
		// Which way a zone lies can't be foretold: filing it in both lists
		// and counting it in one is quicker than a wrong guess.
		forward[f], backward[n] = b, b
		isForward := 0
		if b.first < b.last {
			isForward = 1
		}
		f, n = f+isForward, n+1-isForward
	}
	z.forward, z.backward = forward[:f], backward[:n]
	return walked
}

// walk goes along the chain of a block. m is the least moment at which what
// was walked over can be done with.
func (z *zones) walk(id stateID) (b zone, steps int, ok bool) {
	b = zone{first: history.Never, last: longAgo}
	m, ok := int64(longAgo), true
	for {
		s := &z.slots[id]
		if s.ret < m {
			ok = false
		}
		// Without reads these are the neutral ends of time.
		ret, call := s.leastReadRet(), s.greatestReadCall()
		m = max(m, s.call)
		if ret < m {
			ok = false
		}
		m = max(m, call)
		b.first, b.last = min(b.first, s.ret, ret), max(b.last, s.call, call)
		if s.next == 0 {
			return b, steps, ok
		}
		id = s.next
		steps++
	}
}

// clash says whether two of the zones each have to come before the other. It
// sorts the forward ones.
func clash(forward, backward []zone) bool {
	sortZones(forward)
	for i := 1; i < len(forward); i++ {
		if forward[i].first < forward[i-1].last {
			return true
		}
	}
	if len(forward) == 0 {
		return false
	}
	at := 0 // how many forward zones begin before the last block's end
	for _, b := range backward {
		at = seek(forward, at, b.last)
		if at > 0 && b.first < forward[at-1].last {
			return true
		}
	}
	return false
}

// seek returns how many of the zones, sorted by first, begin before t, looking
// near a guess first: blocks come nearly in order of time.
func seek(zs []zone, guess int, t int64) int {
	for steps := 0; steps < 8; steps++ {
		switch {
		case guess > 0 && zs[guess-1].first >= t:
			guess--
		case guess < len(zs) && zs[guess].first < t:
			guess++
		default:
			return guess
		}
	}
	at, _ := slices.BinarySearchFunc(zs, t, func(b zone, t int64) int { return cmp.Compare(b.first, t) })
	return at
}

// sortZones sorts by first; nearly sorted input costs linear time.
func sortZones(zs []zone) {
	moves := 4 * len(zs)
	for i := 1; i < len(zs); i++ {
		b := zs[i]
		j := i
		for j > 0 && zs[j-1].first > b.first {
			zs[j] = zs[j-1]
			j--
		}
		zs[j] = b
		if moves -= i - j; moves < 0 {
			slices.SortFunc(zs, func(a, b zone) int {
				if a.first < b.first {
					return -1
				}
				if a.first > b.first {
					return 1
				}
				return 0
			})
			return
		}
	}
}
