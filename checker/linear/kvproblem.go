// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"slices"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// lost is the state that stands for all values that no answer tells of: nobody
// saw or expected them, nor anything that begins with them. What an operation
// does in them is the same.
const lost int32 = 1

// problem lays out the operations of the key for the general search. It
// returns with it, for each operation of the problem, its entry.
func (k *keyLog) problem() (p *problem, of []int32) {
	s := newStepper(k)
	p = &problem{init: s.state(initial), lost: lost, step: s.step, held: s.held}
	classes := make(map[entry]int32)
	for i := range int32(k.len) {
		e := *k.entry(i)
		if e.kind == silent || s.useless(&e) {
			continue
		}
		p.call, p.ret = append(p.call, e.call), append(p.ret, e.ret)
		definite := e.ret != history.Never
		e.call, e.ret, e.at = 0, 0, 0
		if e.kind == write || e.kind == rmw {
			e.value = stateID(s.state(e.value))
		}
		c, ok := classes[e]
		if !ok {
			c = int32(len(classes))
			classes[e] = c
		}
		p.class = append(p.class, c)
		p.pure = append(p.pure, e.kind == read || e.kind == refute || e.kind == rmw && e.seen == e.value)
		p.frees = append(p.frees, e.kind == write && e.value != stateID(lost))
		p.fixed = append(p.fixed, definite && (e.kind == read || e.kind == rmw || e.kind == impossible))
		s.ops = append(s.ops, e)
		of = append(of, i)
	}
	return p, of
}

// stepper does the operations of a key.
type stepper struct {
	log     *keyLog
	ops     []entry
	told    map[stateID]bool // states that somebody saw, or did not see
	texts   []string         // those that are texts, sorted, if there are appends
	extends map[[2]stateID]int32
	before  int64
}

func newStepper(k *keyLog) *stepper {
	s := &stepper{log: k, told: make(map[stateID]bool), extends: make(map[[2]stateID]int32)}
	for i := range int32(k.len) {
		if e := k.entry(i); e.kind == read || e.kind == rmw || e.kind == refute {
			s.told[e.seen] = true
		}
	}
	if s.log.outside&extends != 0 {
		for id := range s.told {
			s.texts = append(s.texts, k.value(id).Text())
		}
		slices.Sort(s.texts)
	}
	s.before = s.size()
	return s
}

func (s *stepper) size() int64 {
	return int64(len(s.log.table.arena)) + 24*int64(len(s.log.table.refs)) + 40*int64(len(s.extends))
}

func (s *stepper) held() int64 { return s.size() - s.before }

// state returns the state of the search for a value.
func (s *stepper) state(id stateID) int32 {
	if s.told[id] {
		return int32(id)
	}
	if s.log.outside&extends != 0 && s.begins(s.log.value(id)) {
		return int32(id)
	}
	return lost
}

// begins says whether a value that was told begins with v, so that appends can
// lead to it.
func (s *stepper) begins(v history.Value) bool {
	i, _ := slices.BinarySearch(s.texts, v.Text())
	return i < len(s.texts) && strings.HasPrefix(s.texts[i], v.Text())
}

// useless says whether a write of unknown outcome can be left out: nobody
// could tell that it took effect, and it helps no answer.
func (s *stepper) useless(e *entry) bool {
	return e.ret == history.Never && (e.kind == write || e.kind == rmw) && s.log.outside&refutes == 0 && s.state(e.value) == lost
}

func (s *stepper) step(state, op int32) int32 {
	switch e := &s.ops[op]; e.kind {
	case read:
		if state == int32(e.seen) {
			return state
		}
	case write:
		return int32(e.value)
	case rmw:
		if state == int32(e.seen) {
			return int32(e.value)
		}
	case refute:
		if state != int32(e.seen) {
			return state
		}
	case extend:
		return s.extend(state, e)
	}
	return illegal
}

func (s *stepper) extend(state int32, e *entry) int32 {
	if state == lost {
		return lost
	}
	at := [2]stateID{stateID(state), e.value}
	to, known := s.extends[at]
	if !known {
		v := s.log.value(at[0]).Append(s.log.value(e.value))
		if to = lost; s.begins(v) {
			to = s.state(s.log.id(v))
		}
		s.extends[at] = to
	}
	return to
}
