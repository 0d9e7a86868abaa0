// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/anishathalye/porcupine"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// AnyModel is a Model, KeyValue or Porcupine of any types.
type AnyModel interface {
	// types are those of operations and answers.
	types() (op, answer reflect.Type)
	// language is how operations are written down.
	language() language
	// judge makes what a history is judged by; nil: the key-value store.
	judge() model.Model
	validate() error
}

// Model is a sequential specification: what the system would do if it did one
// operation after the other. A history is right if some order of its operations,
// which no client can tell from the one that it saw, gives all the answers.
// Orders are looked for by a general search: keep partitions small.
type Model[State, Op, Answer any] struct {
	// Init returns the state of a partition before its first operation.
	Init func() State
	// Apply does an operation, and returns the state after it and the answer. It
	// must not change the state that it is given: it is pure.
	Apply func(State, Op) (State, Answer)
	// Partition names the independent part of the system that an operation works
	// on, such as a key. Parts are judged one by one. nil: there is one.
	Partition func(Op) string
	// Equal reports whether an answer is the one that Apply gives. nil:
	// reflect.DeepEqual.
	Equal func(want, got Answer) bool
	// Key returns a text that is different for different states. nil: states are
	// compared with == if their type allows that, or else by what fmt's %#v
	// prints, which knows pointers by their addresses.
	Key func(State) string
}

// KeyValue says that the system is a key-value store: operations are gets, puts,
// compare-and-swaps, appends and deletes of checker/history. Where each write
// writes a value of its own, or is named by history.Op.Writer, histories of any
// length are judged in linear time, and while the run goes on.
type KeyValue[Op, Answer any] struct {
	// Operation returns the Kind, Key and Value of an operation, Expected for a
	// cas, and Writer if the system tells who wrote what it answers.
	Operation func(Op) history.Op
	// Answer returns what an answer says: Observed of a get, ObservedWriter, and
	// for a cas that found another value the Outcome history.Fail with what it
	// Observed, or Refuted. The zero Outcome is history.OK.
	Answer func(Op, Answer) history.Answer
}

// Porcupine is a model for the checker of that name, as it is: it gets Op and
// Answer as its inputs and outputs, and the model's own Partition, Equal and Hash are
// used.
type Porcupine[Op, Answer any] struct {
	Model porcupine.Model
	// Unknown is the output of an operation that may or may not have taken effect.
	// The model's Step must let it do so in any state.
	Unknown Answer
}

// language is how operations and answers are written down in a history.
type language struct {
	keyed func() bool
	begin func(op any, reads bool) history.Op
	end   func(op, answer any) (history.Answer, error)
}

// asJSON writes operations and answers of a model as JSON.
func asJSON(partition func(op any) string) language {
	return language{
		keyed: func() bool { return false },
		begin: func(op any, reads bool) history.Op {
			text, _ := json.Marshal(op) // Workload.check has tried
			out := history.Op{Kind: history.Command, Value: history.String(string(text)), Key: partition(op)}
			if reads {
				out.Kind = history.Query
			}
			return out
		},
		end: func(op, answer any) (history.Answer, error) {
			text, err := json.Marshal(answer)
			if err != nil {
				return history.Answer{}, fmt.Errorf("the answer %+v can't be written down: %w", answer, err)
			}
			return history.Answer{Outcome: history.OK, Observed: history.String(string(text))}, nil
		},
	}
}

// language is that of the configuration's model, for a workload of these types.
func (c Config) language(op, answer reflect.Type) (language, error) {
	if c.Model == nil {
		return asJSON(func(any) string { return "" }), nil
	}
	if o, a := c.Model.types(); o != op || a != answer {
		return language{}, fmt.Errorf("Config.Model is of %v and %v, and the workload of %v and %v", o, a, op, answer)
	}
	return c.Model.language(), c.Model.validate()
}

func (m Model[State, Op, Answer]) types() (op, answer reflect.Type) {
	return reflect.TypeFor[Op](), reflect.TypeFor[Answer]()
}

func (m Model[State, Op, Answer]) validate() error {
	if m.Init == nil || m.Apply == nil {
		return fmt.Errorf("Config.Model needs Init and Apply")
	}
	return nil
}

func (m Model[State, Op, Answer]) language() language {
	return asJSON(func(op any) string {
		if m.Partition == nil {
			return ""
		}
		return m.Partition(op.(Op))
	})
}

func (m Model[State, Op, Answer]) judge() model.Model { return newSequential(m) }

func (m KeyValue[Op, Answer]) types() (op, answer reflect.Type) {
	return reflect.TypeFor[Op](), reflect.TypeFor[Answer]()
}

func (m KeyValue[Op, Answer]) validate() error {
	if m.Operation == nil || m.Answer == nil {
		return fmt.Errorf("Config.Model needs Operation and Answer")
	}
	return nil
}

func (m KeyValue[Op, Answer]) language() language {
	return language{
		keyed: func() bool { return true },
		begin: func(op any, _ bool) history.Op { return m.Operation(op.(Op)) },
		end: func(op, answer any) (history.Answer, error) {
			a := m.Answer(op.(Op), answer.(Answer))
			if a.Outcome == "" {
				a.Outcome = history.OK
			}
			return a, nil
		},
	}
}

func (m KeyValue[Op, Answer]) judge() model.Model { return nil }

func (m Porcupine[Op, Answer]) types() (op, answer reflect.Type) {
	return reflect.TypeFor[Op](), reflect.TypeFor[Answer]()
}

func (m Porcupine[Op, Answer]) validate() error {
	if m.Model.Init == nil || m.Model.Step == nil && m.Model.StepContext == nil {
		return fmt.Errorf("Config.Model needs a porcupine model with Init and Step")
	}
	return nil
}

func (m Porcupine[Op, Answer]) language() language { return asJSON(func(any) string { return "" }) }

func (m Porcupine[Op, Answer]) judge() model.Model { return newPorcupined(m) }
