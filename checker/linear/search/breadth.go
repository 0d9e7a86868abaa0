// SPDX-License-Identifier: Apache-2.0

package search

import "github.com/drumbeat-raft/drumbeat/checker/linear/model"

// breadthFirst searches turn by turn and forgets the configurations of turns that are
// over, so that it needs memory for the widest turn and eight bytes for every
// other configuration. It is for histories that are too big for depthFirst.
func (s *search) breadthFirst() (model.Verdict, []int32) {
	b := &breadth{search: s, turns: make(map[uint32]*seenSet), ids: make(map[uint32][]int32)}
	c := make([]uint32, s.size)
	s.start(c)
	if s.advance(c) {
		return model.OK, nil
	}
	b.add(c, origin{from: -1, op: -1})
	for turn := range uint32(len(s.plan.turns)) {
		if v, path := b.turn(turn); v != "" {
			return v, path
		}
	}
	return model.Violation, nil
}

// origin says by which operation a configuration came from which other.
type origin struct{ from, op int32 }

type breadth struct {
	*search
	turns   map[uint32]*seenSet
	ids     map[uint32][]int32 // numbers of the configurations of a set
	origins []origin
	spare   []*seenSet
	bytes   int64
}

func (b *breadth) add(c []uint32, o origin) {
	set := b.turns[c[wordTurn]]
	if set == nil {
		if n := len(b.spare); n > 0 {
			set, b.spare = b.spare[n-1], b.spare[:n-1]
			set.reset()
		} else {
			fresh := newSeenSet(b.size, b.spent)
			set = &fresh
			b.bytes += set.held()
		}
		b.turns[c[wordTurn]] = set
	}
	before := set.held()
	if _, fresh := set.add(c); fresh {
		b.ids[c[wordTurn]] = append(b.ids[c[wordTurn]], int32(len(b.origins)))
		b.origins = append(b.origins, o)
	}
	b.bytes += set.held() - before
}

func (b *breadth) over() bool {
	b.moves++
	if b.moves&1023 == 0 && b.ctx.Err() != nil {
		return true
	}
	return b.bytes+int64(len(b.origins))*12+b.held() > b.limit
}

// turn expands every configuration of a turn; the verdict is "" to go on.
func (b *breadth) turn(turn uint32) (model.Verdict, []int32) {
	set := b.turns[turn]
	if set == nil {
		return "", nil
	}
	c := make([]uint32, b.size)
	for at := int32(0); int(at) < set.len(); at++ {
		for from := int32(0); ; {
			if b.over() {
				return model.Unknown, nil
			}
			op, state, more := b.next(set.record(at), from)
			if op < 0 {
				break
			}
			from = more
			b.apply(c, set.record(at), op, state)
			if b.deadEnd(c) {
				continue
			}
			id := b.ids[turn][at]
			if b.advance(c) {
				return model.OK, b.path(origin{id, op})
			}
			b.add(c, origin{id, op})
		}
	}
	b.spare = append(b.spare, set)
	delete(b.turns, turn)
	delete(b.ids, turn)
	return "", nil
}

func (b *breadth) path(o origin) []int32 {
	var path []int32
	for o.op >= 0 {
		path = append(path, o.op)
		o = b.origins[o.from]
	}
	return path
}
