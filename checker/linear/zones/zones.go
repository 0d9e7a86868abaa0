// SPDX-License-Identifier: Apache-2.0

package zones

import (
	"cmp"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
)

// The zone algorithm for histories in which each observed value was written
// once; see docs/checker.md for the theorem. It follows Gibbons and Korach,
// "Testing Shared Memories" (1997), with chains of read-modify-writes, unknown
// outcomes and strict comparison of times.

// slot is where a state's writer, its reads and the cas that consumed it meet.
// The zero slot is empty: times are stored such that zero is neutral.
type slot struct {
	call     int64  // the writer's
	ret      int64  // the writer's
	readCall uint64 // greatest call of the reads, with the sign bit turned; 0 for none
	readRet  uint64 // history.Never minus the least return of the reads; 0 for none
	// pred is what the writer consumed: 0 without a writer, isPut for one
	// that consumes nothing, with the linked bit if next[pred] is this state.
	pred keylog.StateID
	// next is the state whose effective writer consumed this one.
	next keylog.StateID
}

const (
	isPut  keylog.StateID = 1
	linked keylog.StateID = 1 << 31
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

// Zone is the time through which a block (a put and the chain of cas that
// starts at it) must be whole: First is the least return in it, Last the
// greatest call.
type Zone struct{ First, Last int64 }

// Forward reports whether the block is spread over its zone: something of it
// returned before something else of it was called.
func (z Zone) Forward() bool { return z.First < z.Last }

// Clashes reports whether each of two blocks has to come before the other.
func (z Zone) Clashes(o Zone) bool { return z.First < o.Last && o.First < z.Last }

// Outcome is what the zones of a key say.
type Outcome uint8

const (
	// Linearizable if the key has none of keylog.Features.
	Linearizable Outcome = iota
	// Illegal: the key is not linearizable. It stays so if nothing but
	// keylog.Mismatches keeps it from being decided here: what was left out
	// only makes it harder.
	Illegal
	// Repeated: a value was written twice, which zones can't judge.
	Repeated
)

// Judge judges one key after the other, in the same memory. It is not safe for
// concurrent use.
type Judge struct {
	key               *keylog.Key
	slots             []slot
	forward, backward []Zone // those of the blocks
	illegal, repeated bool
	cas               []keylog.StateID // what cas wrote
	links             int              // cas that were linked to what they consumed
}

// Run judges a key by its zones.
func (z *Judge) Run(k *keylog.Key) Outcome {
	z.judge(k)
	switch {
	case z.repeated:
		return Repeated
	case z.illegal:
		return Illegal
	}
	return Linearizable
}

// Seen reports whether a state of the key that was judged last was observed,
// or consumed by an effective cas.
func (z *Judge) Seen(id keylog.StateID) bool { return z.slots[id].wasRead() || z.slots[id].next != 0 }

func (z *Judge) judge(k *keylog.Key) {
	z.key, z.illegal, z.repeated, z.links = k, false, false, 0
	z.slots = zeroed(z.slots, int(k.States()))
	z.fold()
	for _, id := range z.cas {
		if s := &z.slots[id]; s.pred&linked == 0 && (!s.unknown() || s.wasRead()) {
			z.link(id)
		}
	}
	if walked := z.blocks(); walked != z.links {
		z.illegal = true // effective cas consumed each other in a circle
	}
	if !z.illegal && !z.repeated {
		z.illegal = clash(z.forward, z.backward)
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
func (z *Judge) fold() {
	slots, cas := z.slots, z.cas[:0]
	slots[keylog.Initial] = slot{call: keylog.Beginning, ret: keylog.Beginning, pred: isPut}
	for i := range z.key.Entries {
		e := &z.key.Entries[i]
		switch e.Kind {
		case keylog.Read:
			slots[e.Seen].sawRead(e.Call, e.Ret)
		case keylog.Write, keylog.ReadModifyWrite:
			s := &slots[e.Value]
			if s.pred != 0 {
				z.repeated = true
				continue
			}
			s.call, s.ret, s.pred = e.Call, e.Ret, isPut
			if e.Kind == keylog.ReadModifyWrite {
				s.pred = e.Seen
				cas = append(cas, e.Value)
			}
		case keylog.Contradiction:
			z.illegal = true
		}
	}
	z.cas = cas
}

// link links one effective cas, and the unknown ones that its being effective
// makes effective.
func (z *Judge) link(id keylog.StateID) {
	for {
		s := &z.slots[id]
		p := &z.slots[s.pred]
		if p.pred == 0 || p.next != 0 {
			z.illegal = true // no operation wrote it, or it was consumed twice
			return
		}
		p.next = id
		before := s.pred
		s.pred |= linked
		z.links++
		if !p.isRmw() || p.pred&linked != 0 || !p.unknown() {
			return
		}
		id = before
	}
}

// blocks walks every block that starts at a put, and collects the zones. A
// block that is illegal within makes the key bad. walked counts the cas that
// were met.
func (z *Judge) blocks() (walked int) {
	if n := z.key.Writes + 1; cap(z.forward) < n {
		z.forward, z.backward = make([]Zone, n), make([]Zone, n)
	}
	forward, backward := z.forward[:cap(z.forward)], z.backward[:cap(z.forward)]
	f, n := 0, 0
	for id := keylog.Initial; int(id) < len(z.slots); id++ {
		s := &z.slots[id]
		if s.pred != isPut {
			if s.pred == 0 && s.wasRead() {
				z.illegal = true // no operation wrote it
			}
			continue
		}
		if s.unknown() && s.next == 0 && !s.wasRead() {
			continue
		}
		b, steps, ok := z.walk(id)
		walked += steps
		if !ok {
			z.illegal = true
		}
		// Which way a zone lies can't be foretold: filing it in both lists
		// and counting it in one is quicker than a wrong guess.
		forward[f], backward[n] = b, b
		isForward := 0
		if b.First < b.Last {
			isForward = 1
		}
		f, n = f+isForward, n+1-isForward
	}
	z.forward, z.backward = forward[:f], backward[:n]
	return walked
}

// walk goes along the chain of a block. m is the least moment at which what
// was walked over can be done with.
func (z *Judge) walk(id keylog.StateID) (b Zone, steps int, ok bool) {
	b = Zone{First: history.Never, Last: keylog.Beginning}
	m, ok := int64(keylog.Beginning), true
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
		b.First, b.Last = min(b.First, s.ret, ret), max(b.Last, s.call, call)
		if s.next == 0 {
			return b, steps, ok
		}
		id = s.next
		steps++
	}
}

// clash reports whether two of the zones each have to come before the other. It
// sorts the forward ones.
func clash(forward, backward []Zone) bool {
	sortZones(forward)
	for i := 1; i < len(forward); i++ {
		if forward[i].First < forward[i-1].Last {
			return true
		}
	}
	if len(forward) == 0 {
		return false
	}
	at := 0 // how many forward zones begin before the last block's end
	for _, b := range backward {
		at = seek(forward, at, b.Last)
		if at > 0 && b.First < forward[at-1].Last {
			return true
		}
	}
	return false
}

// seek returns how many of the zones, sorted by first, begin before t, looking
// near a guess first: blocks come nearly in order of time.
func seek(zs []Zone, guess int, t int64) int {
	for steps := 0; steps < 8; steps++ {
		switch {
		case guess > 0 && zs[guess-1].First >= t:
			guess--
		case guess < len(zs) && zs[guess].First < t:
			guess++
		default:
			return guess
		}
	}
	at, _ := slices.BinarySearchFunc(zs, t, func(b Zone, t int64) int { return cmp.Compare(b.First, t) })
	return at
}

// sortZones sorts by first; nearly sorted input costs linear time.
func sortZones(zs []Zone) {
	moves := 4 * len(zs)
	for i := 1; i < len(zs); i++ {
		b := zs[i]
		j := i
		for j > 0 && zs[j-1].First > b.First {
			zs[j] = zs[j-1]
			j--
		}
		zs[j] = b
		if moves -= i - j; moves < 0 {
			slices.SortFunc(zs, func(a, b Zone) int {
				if a.First < b.First {
					return -1
				}
				if a.First > b.First {
					return 1
				}
				return 0
			})
			return
		}
	}
}
