// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// Invariant must hold in every run: see OverAnswers and OverReplicas.
type Invariant struct {
	name    string
	answer  func(op, answer any) error
	types   [2]reflect.Type // of answer's arguments
	replica func(machine any) error
}

// OverAnswers must hold for every answer that a client gets. holds returns what is
// wrong; it is called from one goroutine at a time.
func OverAnswers[Op, Answer any](name string, holds func(op Op, answer Answer) error) Invariant {
	return Invariant{
		name:   name,
		answer: func(op, answer any) error { return holds(op.(Op), answer.(Answer)) },
		types:  [2]reflect.Type{reflect.TypeFor[Op](), reflect.TypeFor[Answer]()},
	}
}

// OverReplicas must hold for every replica after healing. holds gets what the state
// machine's factory returned, while no update goes on, and returns what is wrong.
// A replica of another type than Machine is wrong.
func OverReplicas[Machine any](name string, holds func(machine Machine) error) Invariant {
	return Invariant{name: name, replica: func(machine any) error {
		m, ok := machine.(Machine)
		if !ok {
			return fmt.Errorf("found a replica of type %T, expected %v", machine, reflect.TypeFor[Machine]())
		}
		return holds(m)
	}}
}

// maxBroken bounds what is kept of broken invariants.
const maxBroken = 100

// watch looks at answers. It is safe for concurrent use.
type watch struct {
	invariants []Invariant

	mu     sync.Mutex
	looked int64
	found  []invariant.Broken
}

// newWatch takes the invariants of answers, which must be of the given types.
func newWatch(all []Invariant, op, answer reflect.Type) (*watch, error) {
	w := &watch{}
	for _, i := range all {
		switch {
		case i.answer == nil && i.replica == nil:
			return nil, fmt.Errorf("Config.Invariants has one that is empty. Make it with OverAnswers or OverReplicas")
		case i.answer == nil:
		case i.types != [2]reflect.Type{op, answer}:
			return nil, fmt.Errorf("the invariant %q is over %v and %v, and the workload's types are %v and %v", i.name, i.types[0], i.types[1], op, answer)
		default:
			w.invariants = append(w.invariants, i)
		}
	}
	return w, nil
}

func (w *watch) wanted() bool { return len(w.invariants) > 0 }

func (w *watch) look(cluster uint64, op, answer any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked++
	for _, i := range w.invariants {
		if err := i.answer(op, answer); err != nil && len(w.found) < maxBroken {
			w.found = append(w.found, invariant.Broken{Name: i.name, Cluster: cluster,
				Text: fmt.Sprintf("%+v was answered %+v: %s", op, answer, err)})
		}
	}
}

// broken returns what was found so far, and how many answers were looked at.
func (w *watch) broken() ([]invariant.Broken, int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]invariant.Broken{}, w.found...), w.looked
}
