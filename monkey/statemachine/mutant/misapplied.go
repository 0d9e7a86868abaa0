// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// effect is what a command does: the answer that its client gets, and what its
// key then holds; nil: the key stays as it is.
type effect struct {
	answer kv.Answer
	value  *kv.Maybe
}

// equals reports whether nobody could tell two effects apart. A value that is
// stored again is another one: its writer is.
func (e effect) equals(o effect) bool {
	sameValue := e.value == o.value || e.value != nil && o.value != nil && *e.value == *o.value
	return e.answer == o.answer && sameValue
}

// misapplied is a core that carries out some commands wrongly.
type misapplied struct {
	*kv.Store
	trigger
	// wrong returns what the bug makes of a command's right effect: the same,
	// if it does not concern the command.
	wrong func(kv.Command, effect) effect
}

// misapply makes the cores of a mutant that carries out commands wrongly.
func misapply(wrong func(kv.Command, effect) effect) func(trigger) statemachine.Core {
	return func(t trigger) statemachine.Core { return &misapplied{t.store(), t, wrong} }
}

// Apply implements statemachine.Core. An occasion is a command that the bug
// would change; which of them it strikes depends on their place in the log only.
func (m *misapplied) Apply(index uint64, data []byte) kv.Answer {
	command, err := kv.DecodeCommand(data)
	if err != nil {
		return m.Store.Apply(index, data)
	}
	var right effect
	right.answer, right.value = m.Evaluate(command)
	does := right
	if wrong := m.wrong(command, right); !wrong.equals(right) && m.strikes(m.Digest().Updates) {
		does = wrong
	}
	m.Commit(index, command, does.value)
	does.answer.Applied = index
	return does.answer
}

// forget returns a bug that stores nothing of the commands that it concerns,
// though they are answered ok.
func forget(concerns func(kv.Command) bool) func(kv.Command, effect) effect {
	return func(c kv.Command, e effect) effect {
		if e.answer.Status == kv.OK && concerns(c) {
			e.value = nil
		}
		return e
	}
}
