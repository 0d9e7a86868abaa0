// SPDX-License-Identifier: Apache-2.0

package search

import (
	"context"

	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// The general search goes from return to return. A configuration says which
// state the part is in, which open definite operations are done already, and
// how many operations of unknown outcome were spent of each group. At the
// return of an operation that is not done, it and whatever has to come before
// it are done "just in time" (Lowe, "Testing for Linearizability", 2017). On
// top of that:
//   - an operation that never changes a state is done as soon as it is legal:
//     doing it later can't help anybody;
//   - of open operations of one class the one that returns first is done
//     first, one of unknown outcome last: exchanging them changes nothing;
//   - a configuration that spent no less of anything than one seen before, and
//     is equal to it otherwise, is dropped.
//   - a configuration in a state that nothing leads out of, with an operation
//     to come that is illegal there, is dropped.
//
// Configurations are compared in full, never by hash alone.

// A configuration is a record of 32-bit words: turn, state, the set of
// done operations, the counts spent (two a word).
const (
	wordTurn = iota
	wordState
	wordDone
)

type search struct {
	*plan
	ctx   context.Context
	limit int64 // bytes
	size  int   // words of a record
	spent int   // where the counts begin in a record
	seen  seenSet
	moves int
	// furthest is the last turn that a configuration came to.
	furthest uint32
}

func newSearch(ctx context.Context, pl *plan, limit int64) *search {
	s := &search{plan: pl, ctx: ctx, limit: limit}
	s.spent = wordDone + 2*pl.words
	s.size = s.spent + (len(pl.members)+1)/2
	s.seen = newSeenSet(s.size, s.spent)
	return s
}

// over reports whether the search has to give up.
func (s *search) over() bool {
	s.moves++
	if s.moves&1023 == 0 && s.ctx.Err() != nil {
		return true
	}
	return s.moves&63 == 0 && s.seen.held()+s.held() > s.limit
}

func isDone(c []uint32, bit int32) bool { return c[wordDone+bit>>5]>>(bit&31)&1 != 0 }
func setDone(c []uint32, bit int32)     { c[wordDone+bit>>5] |= 1 << (bit & 31) }
func clearDone(c []uint32, bit int32)   { c[wordDone+bit>>5] &^= 1 << (bit & 31) }

func (s *search) count(c []uint32, group int32) uint16 {
	return uint16(c[s.spent+int(group>>1)] >> (group & 1 * 16))
}

// doObservers does those among ops that only observe and are legal in the state of
// c.
func (s *search) doObservers(c []uint32, ops []int32) {
	state := int32(c[wordState])
	for _, op := range ops {
		if s.pure[op] && !isDone(c, s.bit[op]) && s.step(state, op) != illegal {
			setDone(c, s.bit[op])
		}
	}
}

// until returns the moment by which a search that found a violation had no
// order left.
func (s *search) until() int64 { return s.ret[s.turns[s.furthest].op] }

// start writes the first configuration into c.
func (s *search) start(c []uint32) {
	clear(c)
	c[wordState] = uint32(s.init)
	if len(s.turns) > 0 {
		s.doObservers(c, s.fresh[:s.turns[0].freshEnd])
	}
}

// advance brings c over every return of an operation that is done already. It
// reports whether the end was reached.
func (s *search) advance(c []uint32) bool {
	for int(c[wordTurn]) < len(s.turns) {
		t := &s.turns[c[wordTurn]]
		if !isDone(c, s.bit[t.op]) {
			s.furthest = max(s.furthest, c[wordTurn])
			return false
		}
		clearDone(c, s.bit[t.op])
		c[wordTurn]++
		if int(c[wordTurn]) < len(s.turns) {
			n := &s.turns[c[wordTurn]]
			s.doObservers(c, s.fresh[n.fresh:n.freshEnd])
		}
	}
	return true
}

// apply writes into to the configuration after op is done in c.
func (s *search) apply(to, c []uint32, op, state int32) {
	copy(to, c)
	to[wordState] = uint32(state)
	if g := s.group[op]; g >= 0 {
		to[s.spent+int(g>>1)] += 1 << (g & 1 * 16)
	} else {
		setDone(to, s.bit[op])
	}
	t := &s.turns[c[wordTurn]]
	s.doObservers(to, s.open[t.open:t.openEnd])
}

// next returns the next operation that can be done in c, beginning with
// choice number from, and the choice to go on with; -1 if there is none.
// Choices are ordered: the operation that has to be done now, the open ones
// by their return, then those of unknown outcome.
func (s *search) next(c []uint32, from int32) (op, state, more int32) {
	t := &s.turns[c[wordTurn]]
	open := s.open[t.open:t.openEnd]
	now := int32(c[wordState])
	for ; int(from) < len(open); from++ {
		op := open[from]
		if isDone(c, s.bit[op]) || s.equivalent(c, open[:from], op) {
			continue
		}
		if to := s.step(now, op); to != illegal {
			return op, to, from + 1
		}
	}
	for g := from - int32(len(open)); int(g) < len(s.members); g++ {
		n := s.count(c, g)
		if n >= s.avail[int(c[wordTurn])*len(s.members)+int(g)] {
			continue
		}
		op := s.members[g][n]
		if s.equivalent(c, open, op) {
			continue
		}
		if to := s.step(now, op); to != illegal && to != now {
			return op, to, int32(len(open)) + g + 1
		}
	}
	return -1, 0, 0
}

// equivalent reports whether one of ops that is not done does the same as op.
func (s *search) equivalent(c []uint32, ops []int32, op int32) bool {
	for _, o := range ops {
		if s.class[o] == s.class[op] && !isDone(c, s.bit[o]) {
			return true
		}
	}
	return false
}

// deadEnd reports whether nothing leads out of the unobserved state that c is
// in, with an operation left that is illegal there.
func (s *search) deadEnd(c []uint32) bool {
	turn := int(c[wordTurn])
	if s.unobserved == 0 || int32(c[wordState]) != s.unobserved || turn >= len(s.turns) || turn < s.lastLeaving {
		return false
	}
	t := &s.turns[turn]
	waits := int32(-1) // the turn by which the operation is illegal for certain
	for _, op := range s.open[t.open:t.openEnd] {
		switch {
		case isDone(c, s.bit[op]):
		case s.leaves[op]:
			return false
		case s.needs[op] && waits < 0:
			waits = s.at[op]
		}
	}
	for n := turn + 1; waits < 0 && n <= s.lastNeeding; n++ {
		for _, op := range s.fresh[s.turns[n].fresh:s.turns[n].freshEnd] {
			if s.needs[op] {
				waits = s.at[op]
				break
			}
		}
	}
	s.furthest = max(s.furthest, uint32(max(waits, 0)))
	return waits >= 0
}

// depthFirst searches depth first, which finds an order of a legal history quickly,
// and keeps every configuration it met. With an OK comes
// the path: the operations done, last one first, but for those of doObservers; order makes a whole order of it.
func (s *search) depthFirst() (model.Verdict, []int32) {
	type frame struct{ at, from, op int32 }
	c := make([]uint32, s.size)
	s.start(c)
	if s.advance(c) {
		return model.OK, nil
	}
	at, _ := s.seen.add(c)
	stack := []frame{{at: at, op: -1}}
	for len(stack) > 0 {
		if s.over() {
			return model.Unknown, nil
		}
		f := &stack[len(stack)-1]
		op, state, more := s.next(s.seen.record(f.at), f.from)
		if op < 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		f.from = more
		s.apply(c, s.seen.record(f.at), op, state)
		if s.deadEnd(c) {
			continue
		}
		if s.advance(c) {
			path := []int32{op}
			for i := len(stack) - 1; i > 0; i-- {
				path = append(path, stack[i].op)
			}
			return model.OK, path
		}
		if at, fresh := s.seen.add(c); fresh {
			stack = append(stack, frame{at: at, op: op})
		}
	}
	return model.Violation, nil
}

// order makes an order of all operations from the path of a search: it goes
// the same way again and notes which observers are done where.
func (s *search) order(path []int32) []int {
	c, to := make([]uint32, s.size), make([]uint32, s.size)
	var order []int
	noted := make([]bool, len(s.call))
	note := func(c []uint32, ops []int32) {
		for _, op := range ops {
			if isDone(c, s.bit[op]) && !noted[op] {
				noted[op] = true
				order = append(order, int(op))
			}
		}
	}
	advance := func(c []uint32) {
		for int(c[wordTurn]) < len(s.turns) {
			t := &s.turns[c[wordTurn]]
			note(c, s.open[t.open:t.openEnd])
			if !isDone(c, s.bit[t.op]) {
				return
			}
			clearDone(c, s.bit[t.op])
			c[wordTurn]++
			if int(c[wordTurn]) < len(s.turns) {
				n := &s.turns[c[wordTurn]]
				s.doObservers(c, s.fresh[n.fresh:n.freshEnd])
			}
		}
	}
	s.start(c)
	advance(c)
	for i := len(path) - 1; i >= 0; i-- {
		op := path[i]
		noted[op] = true
		order = append(order, int(op))
		s.apply(to, c, op, s.step(int32(c[wordState]), op))
		c, to = to, c
		advance(c)
	}
	return order
}
