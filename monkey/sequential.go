// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// spoken reads operations and answers back from a history, each once.
type spoken[Op, Answer any] struct {
	mu   sync.Mutex
	read map[uint64]said[Op, Answer] // by the operation's ID
}

type said[Op, Answer any] struct {
	op     Op
	answer Answer
	err    error
}

// of returns what an operation was, and what it was answered.
func (s *spoken[Op, Answer]) of(op *history.Op) said[Op, Answer] {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.read[op.ID]
	if ok && op.ID != 0 {
		return x
	}
	x.err = json.Unmarshal([]byte(op.Value.Text()), &x.op)
	if x.err == nil && op.Outcome == history.OK {
		x.err = json.Unmarshal([]byte(op.Observed.Text()), &x.answer)
	}
	if s.read == nil {
		s.read = map[uint64]said[Op, Answer]{}
	}
	s.read[op.ID] = x
	return x
}

// Validate implements model.Model.
func (s *spoken[Op, Answer]) Validate(op *history.Op) error {
	if op.Kind != history.Command && op.Kind != history.Query {
		return fmt.Errorf("found the kind %q, expected an operation of the test", op.Kind)
	}
	return s.of(op).err
}

// Constrains implements model.Model.
func (s *spoken[Op, Answer]) Constrains(op *history.Op) bool {
	return op.Outcome == history.OK || op.Outcome == history.Unknown && op.Kind == history.Command
}

// Observes implements model.Observer.
func (s *spoken[Op, Answer]) Observes(op *history.Op) bool { return op.Kind == history.Query }

// sequential is a Model as the checker takes it.
type sequential[State, Op, Answer any] struct {
	Model[State, Op, Answer]
	spoken[Op, Answer]
	comparable bool
	looks      atomic.Int64 // by unchanged

	mu     sync.Mutex
	states map[string]*boxed[State] // by their Key; where they are not comparable
}

// boxed is a state that is known by its address: equal ones are in one box.
type boxed[State any] struct {
	state State
	key   string
}

func newSequential[State, Op, Answer any](m Model[State, Op, Answer]) *sequential[State, Op, Answer] {
	if m.Equal == nil {
		m.Equal = func(want, got Answer) bool { return reflect.DeepEqual(want, got) }
	}
	s := &sequential[State, Op, Answer]{Model: m, states: map[string]*boxed[State]{}}
	s.comparable = m.Key == nil && isValue(reflect.TypeFor[State]())
	if m.Key == nil {
		s.Key = func(s State) string { return fmt.Sprintf("%#v", s) }
	}
	return s
}

// isValue reports whether == of a type compares all that it holds.
func isValue(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if !isValue(t.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.Array:
		return isValue(t.Elem())
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return false
	}
	return true
}

// Name implements model.Model.
func (m *sequential[State, Op, Answer]) Name() string { return "the model of the test" }

// Part implements model.Model.
func (m *sequential[State, Op, Answer]) Part(op *history.Op) string { return op.Key }

// Init implements model.Model.
func (m *sequential[State, Op, Answer]) Init(string) model.State { return m.box(m.Model.Init()) }

// box returns what stands for a state.
func (m *sequential[State, Op, Answer]) box(s State) model.State {
	if m.comparable {
		return s
	}
	key := m.Key(s)
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.states[key]
	if b == nil {
		b = &boxed[State]{s, key}
		m.states[key] = b
	}
	return b
}

// unbox returns the state that stands in a box.
func (m *sequential[State, Op, Answer]) unbox(s model.State) State {
	if m.comparable {
		return s.(State)
	}
	return s.(*boxed[State]).state
}

// Step implements model.Model.
func (m *sequential[State, Op, Answer]) Step(s model.State, op *history.Op) (model.State, bool) {
	said := m.of(op)
	next, answer := m.Apply(m.unbox(s), said.op)
	m.unchanged(s, op)
	return m.box(next), op.Outcome == history.Unknown || m.Equal(answer, said.answer)
}

// unchanged panics if Apply has changed the state that it was given. Where states
// are compared with == it can't.
func (m *sequential[State, Op, Answer]) unchanged(s model.State, op *history.Op) {
	if m.comparable || m.looks.Add(1) > maxLooks {
		return
	}
	if b := s.(*boxed[State]); m.Key(b.state) != b.key {
		panic(impure{fmt.Sprintf("Model.Apply changed the state that it was given, when it did %s: it was %s, and is %s. Apply has to copy what it changes",
			op.Value.Text(), b.key, m.Key(b.state))})
	}
}

// maxLooks bounds how often that is looked at: it takes as long as a step.
const maxLooks = 1000

// impure is what is wrong with a model that changes states.
type impure struct{ text string }

// expected says what an operation of a core would be answered by an order of the
// others that gives all their answers; empty if none of the last ones is such.
func (m *sequential[State, Op, Answer]) expected(core []history.Op) string {
	last := slices.DeleteFunc(slices.Clone(core), func(op history.Op) bool { return op.Outcome != history.OK })
	slices.SortFunc(last, func(a, b history.Op) int { return cmp.Compare(b.Return, a.Return) })
	for _, odd := range last[:min(len(last), oddTried)] {
		others := slices.DeleteFunc(slices.Clone(core), func(op history.Op) bool { return op.ID == odd.ID })
		found, err := linear.Check(context.Background(), others, linear.Options{Model: m, Certify: true, NoCore: true, Timeout: expectedWithin})
		if err != nil || found.Verdict != linear.OK {
			continue
		}
		state := m.Model.Init()
		for _, n := range found.Orders[odd.Key] {
			if others[n].Call < odd.Return {
				state, _ = m.Apply(state, m.of(&others[n]).op)
			}
		}
		_, answer := m.Apply(state, m.of(&odd).op)
		if text, err := json.Marshal(answer); err == nil {
			return fmt.Sprintf("By an order of the others that explains them, client %d's %s would have been answered %s.", odd.Client, odd.Value.Text(), text)
		}
	}
	return ""
}

const (
	oddTried       = 6               // operations
	expectedWithin = 5 * time.Second // bounds the search for an order
)
