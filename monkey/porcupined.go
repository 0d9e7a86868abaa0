// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"context"
	"fmt"
	"sync"

	"github.com/anishathalye/porcupine"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// porcupined is a porcupine model as the checker takes it.
type porcupined[Op, Answer any] struct {
	Porcupine[Op, Answer]
	spoken[Op, Answer]

	mu     sync.Mutex
	states map[uint64][]*boxed[any] // by their Hash; where they have an Equal of their own
	parts  map[uint64]string        // by the operation's ID
}

func newPorcupined[Op, Answer any](p Porcupine[Op, Answer]) *porcupined[Op, Answer] {
	return &porcupined[Op, Answer]{Porcupine: p, states: map[uint64][]*boxed[any]{}, parts: map[uint64]string{}}
}

// Name implements model.Model.
func (m *porcupined[Op, Answer]) Name() string { return "the porcupine model of the test" }

// Prepare implements model.Preparer: a porcupine model parts a whole history. The
// clusters are parts already.
func (m *porcupined[Op, Answer]) Prepare(ops []history.Op) {
	if m.Model.Partition == nil {
		return
	}
	byCluster := map[string][]porcupine.Operation{}
	for i := range ops {
		if op := &ops[i]; m.Constrains(op) {
			byCluster[op.Key] = append(byCluster[op.Key], m.input(op))
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for cluster, all := range byCluster {
		for n, part := range m.Model.Partition(all) {
			for _, x := range part {
				id, _ := x.Metadata.(uint64) // one that Partition has made anew is in no part of its own
				m.parts[id] = fmt.Sprintf("%s%d", cluster, n+1)
			}
		}
	}
}

// input is an operation as porcupine has it.
func (m *porcupined[Op, Answer]) input(op *history.Op) porcupine.Operation {
	said := m.of(op)
	x := porcupine.Operation{Metadata: op.ID, ClientId: int(op.Client), Input: said.op, Call: op.Call, Output: said.answer, Return: op.End()}
	if op.Outcome != history.OK {
		x.Output = m.Unknown
	}
	return x
}

// Part implements model.Model.
func (m *porcupined[Op, Answer]) Part(op *history.Op) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if part, ok := m.parts[op.ID]; ok {
		return part
	}
	return op.Key
}

// Init implements model.Model.
func (m *porcupined[Op, Answer]) Init(string) model.State { return m.box(m.Model.Init()) }

// box returns what stands for a state. Without an Equal of its own porcupine
// compares states with ==.
func (m *porcupined[Op, Answer]) box(s any) model.State {
	if m.Model.Equal == nil {
		return s
	}
	var hash uint64
	if m.Model.Hash != nil {
		hash = m.Model.Hash(s)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.states[hash] {
		if m.Model.Equal(b.state, s) {
			return b
		}
	}
	b := &boxed[any]{state: s}
	m.states[hash] = append(m.states[hash], b)
	return b
}

// Step implements model.Model.
func (m *porcupined[Op, Answer]) Step(s model.State, op *history.Op) (model.State, bool) {
	x := m.input(op)
	state := s
	if b, ok := s.(*boxed[any]); ok {
		state = b.state
	}
	step := m.Model.Step
	if c := m.Model.StepContext; c != nil {
		step = func(state, input, output any) (bool, any) { return c(context.Background(), state, input, output) }
	}
	ok, next := step(state, x.Input, x.Output)
	if !ok {
		return s, false
	}
	return m.box(next), true
}
