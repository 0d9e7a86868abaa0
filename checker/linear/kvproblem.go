// SPDX-License-Identifier: Apache-2.0

package linear

import "github.com/drumbeat-raft/drumbeat/checker/history"

// kvProblem lays out the operations of one key for the general search. It
// returns with it, for each operation of the problem, its position in idx.
//
// An unknown write is left out if nobody ever saw what it writes and nobody's
// answer depends on a state that nobody saw.
func (l *Log) kvProblem(key uint32, idx []int32) (p *problem, of []int32) {
	useful := l.useful(key, idx)
	p = &problem{init: int32(l.initial[key])}
	classes := make(map[entry]int32)
	var ops []entry
	for i, at := range idx {
		e := l.entries[at]
		if e.kind == silent || e.ret == history.Never && useful != nil && !useful[e.value] {
			continue
		}
		p.call, p.ret = append(p.call, e.call), append(p.ret, e.ret)
		e.call, e.ret = 0, 0
		c, ok := classes[e]
		if !ok {
			c = int32(len(classes))
			classes[e] = c
		}
		p.class = append(p.class, c)
		p.pure = append(p.pure, e.kind == read || e.kind == refute || e.kind == rmw && e.seen == e.value)
		ops = append(ops, e)
		of = append(of, int32(i))
	}
	p.step = func(state, op int32) int32 { return l.step(state, &ops[op]) }
	before := int64(len(l.states.arena)) + 24*int64(len(l.states.refs))
	p.held = func() int64 {
		return int64(len(l.states.arena)) + 24*int64(len(l.states.refs)) - before
	}
	return p, of
}

// useful returns the states of a key that an operation saw or expected; nil if
// any state may matter.
func (l *Log) useful(key uint32, idx []int32) map[stateID]bool {
	if l.outside[key]&(refutes|extends) != 0 {
		return nil
	}
	useful := make(map[stateID]bool)
	for _, at := range idx {
		if e := &l.entries[at]; e.kind == read || e.kind == rmw {
			useful[e.seen] = true
		}
	}
	return useful
}

func (l *Log) step(state int32, e *entry) int32 {
	switch e.kind {
	case read:
		if state == int32(e.seen) {
			return state
		}
		return illegal
	case write:
		return int32(e.value)
	case rmw:
		if state == int32(e.seen) {
			return int32(e.value)
		}
		return illegal
	case refute:
		if state != int32(e.seen) {
			return state
		}
		return illegal
	case extend:
		now := l.states.value(stateID(state))
		return int32(l.states.id(e.key, now.Append(l.states.value(e.value))))
	}
	return illegal
}
