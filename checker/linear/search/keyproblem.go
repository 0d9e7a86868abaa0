// SPDX-License-Identifier: Apache-2.0

package search

import (
	"slices"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
)

// unobserved is the state that stands for all values that no answer mentions:
// no operation saw or expected them, nor anything that begins with them. What
// an operation does in them is the same.
const unobserved int32 = 1

// OfKey lays out the operations of a key. It returns with it, for each
// operation of the problem, its entry.
func OfKey(k *keylog.Key) (p *Problem, of []int) {
	s := newStepper(k)
	p = &Problem{init: s.state(keylog.Initial), unobserved: unobserved, step: s.step, held: s.held}
	classes := make(map[keylog.Entry]int32)
	for i := range k.Entries {
		e := k.Entries[i]
		if e.Kind == keylog.Unconstrained || s.irrelevant(&e) {
			continue
		}
		p.call, p.ret = append(p.call, e.Call), append(p.ret, e.Ret)
		definite := e.Ret != history.Never
		e.Call, e.Ret, e.At = 0, 0, 0
		if e.Kind == keylog.Write || e.Kind == keylog.ReadModifyWrite {
			e.Value = keylog.StateID(s.state(e.Value))
		}
		c, ok := classes[e]
		if !ok {
			c = int32(len(classes))
			classes[e] = c
		}
		p.class = append(p.class, c)
		p.pure = append(p.pure, e.Kind == keylog.Read || e.Kind == keylog.Mismatch || e.Kind == keylog.ReadModifyWrite && e.Seen == e.Value)
		p.leaves = append(p.leaves, e.Kind == keylog.Write && e.Value != keylog.StateID(unobserved))
		p.needs = append(p.needs, definite && (e.Kind == keylog.Read || e.Kind == keylog.ReadModifyWrite || e.Kind == keylog.Contradiction))
		s.ops = append(s.ops, e)
		of = append(of, i)
	}
	return p, of
}

// stepper does the operations of a key.
type stepper struct {
	key      *keylog.Key
	ops      []keylog.Entry
	observed map[keylog.StateID]bool // states that somebody saw, or did not see
	texts    []string                // those that are texts, sorted, if there are appends
	extends  map[[2]keylog.StateID]int32
	// more are the values that appends led to beyond those of the key, ids
	// the states of all; grown is what they take.
	more  []history.Value
	ids   map[history.Value]keylog.StateID
	grown int64
}

func newStepper(k *keylog.Key) *stepper {
	s := &stepper{key: k, observed: make(map[keylog.StateID]bool), extends: make(map[[2]keylog.StateID]int32)}
	for i := range k.Entries {
		if e := &k.Entries[i]; e.Kind == keylog.Read || e.Kind == keylog.ReadModifyWrite || e.Kind == keylog.Mismatch {
			s.observed[e.Seen] = true
		}
	}
	if s.key.Features&keylog.Appends != 0 {
		for id := range s.observed {
			s.texts = append(s.texts, k.Value(id).Text())
		}
		slices.Sort(s.texts)
	}
	return s
}

// held estimates the bytes of what appends led to.
func (s *stepper) held() int64 { return s.grown + 40*int64(len(s.extends)) }

// value returns the value of a state.
func (s *stepper) value(id keylog.StateID) history.Value {
	if known := s.key.States(); id >= known {
		return s.more[id-known]
	}
	return s.key.Value(id)
}

// id returns the state of a value that an append led to.
func (s *stepper) id(v history.Value) keylog.StateID {
	if s.ids == nil {
		s.ids = make(map[history.Value]keylog.StateID)
		for id := keylog.Initial; id < s.key.States(); id++ {
			s.ids[s.key.Value(id)] = id
		}
	}
	id, ok := s.ids[v]
	if !ok {
		id = s.key.States() + keylog.StateID(len(s.more))
		s.ids[v] = id
		s.more = append(s.more, v)
		s.grown += stateCost + int64(len(v.Text()))
	}
	return id
}

// stateCost estimates the bytes that a state takes besides its text.
const stateCost = 80

// state returns the state of the search for a value.
func (s *stepper) state(id keylog.StateID) int32 {
	if s.observed[id] {
		return int32(id)
	}
	if s.key.Features&keylog.Appends != 0 && s.isPrefix(s.value(id)) {
		return int32(id)
	}
	return unobserved
}

// isPrefix reports whether a value that was observed begins with v, so that
// appends can lead to it.
func (s *stepper) isPrefix(v history.Value) bool {
	i, _ := slices.BinarySearch(s.texts, v.Text())
	return i < len(s.texts) && strings.HasPrefix(s.texts[i], v.Text())
}

// irrelevant reports whether a write of unknown outcome can be left out: no
// answer shows whether it took effect, and none needs it.
func (s *stepper) irrelevant(e *keylog.Entry) bool {
	return e.Ret == history.Never && (e.Kind == keylog.Write || e.Kind == keylog.ReadModifyWrite) && s.key.Features&keylog.Mismatches == 0 && s.state(e.Value) == unobserved
}

func (s *stepper) step(state, op int32) int32 {
	switch e := &s.ops[op]; e.Kind {
	case keylog.Read:
		if state == int32(e.Seen) {
			return state
		}
	case keylog.Write:
		return int32(e.Value)
	case keylog.ReadModifyWrite:
		if state == int32(e.Seen) {
			return int32(e.Value)
		}
	case keylog.Mismatch:
		if state != int32(e.Seen) {
			return state
		}
	case keylog.Append:
		return s.extend(state, e)
	}
	return illegal
}

func (s *stepper) extend(state int32, e *keylog.Entry) int32 {
	if state == unobserved {
		return unobserved
	}
	at := [2]keylog.StateID{keylog.StateID(state), e.Value}
	to, known := s.extends[at]
	if !known {
		v := s.value(at[0]).Append(s.value(e.Value))
		if to = unobserved; s.isPrefix(v) {
			to = s.state(s.id(v))
		}
		s.extends[at] = to
	}
	return to
}
