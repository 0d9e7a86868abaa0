// SPDX-License-Identifier: Apache-2.0

package search

import (
	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// OfModel lays out the operations of one part for the general search by
// asking the model.
func OfModel(m model.Model, part string, ops []history.Op) *Problem {
	t := &stepTable{model: m, ops: ops, ids: make(map[model.State]int32), steps: make(map[[2]int32]int32)}
	p := &Problem{init: t.id(m.Init(part)), step: t.step, held: t.held}
	observes := func(*history.Op) bool { return false }
	if o, ok := m.(model.Observer); ok {
		observes = o.Observes
	}
	for i := range ops {
		p.pure = append(p.pure, observes(&ops[i]))
		p.call, p.ret = append(p.call, ops[i].Call), append(p.ret, ops[i].End())
		p.class = append(p.class, int32(i))
	}
	return p
}

// stepTable numbers the states of a model and remembers its steps.
type stepTable struct {
	model  model.Model
	ops    []history.Op
	ids    map[model.State]int32
	states []model.State
	steps  map[[2]int32]int32
}

func (t *stepTable) id(s model.State) int32 {
	id, ok := t.ids[s]
	if !ok {
		id = int32(len(t.states))
		t.ids[s] = id
		t.states = append(t.states, s)
	}
	return id
}

func (t *stepTable) step(state, op int32) int32 {
	at := [2]int32{state, op}
	to, known := t.steps[at]
	if !known {
		to = illegal
		if next, ok := t.model.Step(t.states[state], &t.ops[op]); ok {
			to = t.id(next)
		}
		t.steps[at] = to
	}
	return to
}

// held estimates the bytes of the tables; the content of states, which only
// the model knows, counts with a fixed amount.
func (t *stepTable) held() int64 {
	return int64(len(t.steps))*32 + int64(len(t.states))*200
}
