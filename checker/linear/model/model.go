// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// State is a state of a model. It must be comparable with ==, which decides
// whether two states are the same, and must not change.
type State any

// Model is a sequential specification: what answers a system may give if it
// does one operation after the other. Its methods are pure and safe for
// concurrent use.
//
// Users may write models of their own; they are judged by the general search.
type Model interface {
	// Name names the model in results.
	Name() string
	// Validate returns an error for an operation that the model doesn't know
	// or that lacks something. It is called before anything else.
	Validate(op *history.Op) error
	// Part names the independent part of the system that the operation works
	// on (for a key-value store: the key). Parts are judged one by one.
	Part(op *history.Op) string
	// Init returns the state of a part before the first operation.
	Init(part string) State
	// Step does the operation in a state. It returns the state after it, and
	// whether the operation's answer is the one that the state gives. For an
	// operation of unknown outcome there is no answer: it does what it does
	// if it takes effect in this state, and ok is true.
	Step(s State, op *history.Op) (next State, ok bool)
	// Constrains reports whether the operation restricts the orders that are
	// possible: one that had no effect and gave no answer doesn't, and is left
	// out.
	Constrains(op *history.Op) bool
}

// Observer is a Model that knows which operations never change a state. It
// makes the general search much faster.
type Observer interface {
	Model
	// Observes reports whether the operation leaves every state as it is.
	Observes(op *history.Op) bool
}

// Preparer is a Model that has to see a history before it can name the parts of
// its operations. Prepare is called before Part, with all operations.
type Preparer interface {
	Model
	Prepare(ops []history.Op)
}

// Revealer is a Model that knows which operations saw the whole state of their part, such
// as the reads of a counter. Where operations also name the writes that they saw,
// histories of any length are judged piece by piece.
type Revealer interface {
	Model
	// Reveals returns the state that the operation saw, and whether it saw all of it.
	Reveals(op *history.Op) (State, bool)
}

// Refuser is a Model with operations that some states refuse.
type Refuser interface {
	Model
	// Refuses reports whether the operation has no effect in a state, and is told so.
	Refuses(s State, op *history.Op) bool
}

// Auto takes the KV model, of which a register is a case.
var Auto Model = KV

// KV is the key-value store: get, put, cas, append and delete on any number
// of keys, all of them absent at first.
var KV Model = kv{name: "kv"}

// Register is a set of registers, one a key: get, put and cas. A register that
// was never written holds nothing.
var Register Model = kv{name: "register", register: true}

type kv struct {
	name     string
	register bool
}

func (m kv) Name() string { return m.name }

func (m kv) Validate(op *history.Op) error {
	switch op.Kind {
	case history.Get, history.Put, history.Cas:
	case history.Append, history.Delete:
		if m.register {
			return fmt.Errorf("a register knows no %s", op.Kind)
		}
	default:
		return fmt.Errorf("a key-value store knows no %q", op.Kind)
	}
	return op.Validate()
}

func (m kv) Part(op *history.Op) string { return op.Key }

// IsKeyValue reports whether a model is the key-value store or a register of
// this package: histories of such can be held as a keylog.Log.
func IsKeyValue(m Model) bool {
	_, ok := m.(kv)
	return ok
}

// kvState is what a key holds, and the name of the write that left it there
// where writes are named.
type kvState struct {
	value  history.Value
	writer string
}

// String describes the state to a person.
func (s kvState) String() string { return s.value.String() }

func (m kv) Init(string) State { return kvState{history.Absent, history.InitialWriter} }

// Observes implements Observer.
func (m kv) Observes(op *history.Op) bool {
	return op.Kind == history.Get || op.Outcome == history.Fail
}

func (m kv) Constrains(op *history.Op) bool {
	switch op.Outcome {
	case history.OK:
		return true
	case history.Unknown:
		return op.Kind != history.Get
	default:
		return op.Kind == history.Cas && (op.Refuted || op.Observed.Stated())
	}
}

func (m kv) Step(s State, op *history.Op) (State, bool) {
	now := s.(kvState)
	if op.Outcome != history.Unknown && op.ObservedWriter != "" && op.ObservedWriter != now.writer {
		return s, false
	}
	next := kvState{now.value, op.Writer}
	switch op.Kind {
	case history.Get:
		return s, op.Observed == now.value
	case history.Put:
		next.value = op.Value
	case history.Delete:
		next.value = history.Absent
	case history.Append:
		next.value = now.value.Append(op.Value)
	default:
		return stepCas(now, next, op)
	}
	return next, true
}

func stepCas(now, next kvState, op *history.Op) (State, bool) {
	matches := now.value == op.Expected
	next.value = op.Value
	switch {
	case op.Outcome == history.OK:
		return next, matches
	case op.Outcome == history.Fail:
		return now, !matches && (!op.Observed.Stated() || op.Observed == now.value)
	case matches:
		return next, true
	}
	return now, true
}
