// SPDX-License-Identifier: Apache-2.0

package model

import (
	"encoding/json"
	"fmt"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Queue is a queue of texts a key, empty at first: enqueue adds the element Value at
// its end, and may observe the length after that; dequeue takes the one at its head and observes it (absent: the queue is
// empty), get observes all elements as a JSON array of strings, the oldest first.
var Queue Model = queue{}

type queue struct{}

func (queue) Name() string                   { return "queue" }
func (queue) Part(op *history.Op) string     { return op.Key }
func (queue) Init(string) State              { return "[]" }
func (queue) Constrains(op *history.Op) bool { return constrainsUnlessFailed(op) }
func (queue) Observes(op *history.Op) bool   { return op.Kind == history.Get }

func (queue) Validate(op *history.Op) error {
	switch op.Kind {
	case history.Enqueue:
		if !op.Value.IsText() {
			return fmt.Errorf("an enqueue needs a string as \"value\", not %s", op.Value)
		}
		if _, ok := op.Observed.Int(); !ok && op.Observed.Stated() {
			return fmt.Errorf("an enqueue observes the length of the queue, not %s", op.Observed)
		}
	case history.Dequeue:
		if op.Outcome == history.OK && !op.Observed.IsText() && !op.Observed.IsAbsent() {
			return fmt.Errorf("a dequeue observes a string, or null where the queue is empty, not %s", op.Observed)
		}
	case history.Get:
		if op.Outcome == history.OK && !op.Observed.IsAbsent() {
			if _, err := parse[[]string](op.Observed.Text()); err != nil {
				return fmt.Errorf("a queue is observed as a JSON array of strings, not %s: %w", op.Observed, err)
			}
		}
	default:
		return fmt.Errorf("a queue knows no %q", op.Kind)
	}
	return op.Validate()
}

// Reveals implements Revealer.
func (m queue) Reveals(op *history.Op) (State, bool) {
	if op.Observed.IsAbsent() {
		return m.Init(""), wasRead(op)
	}
	seen, _ := parse[[]string](op.Observed.Text())
	return render(append([]string{}, seen...)), wasRead(op)
}

func (m queue) Step(s State, op *history.Op) (State, bool) {
	all, _ := parse[[]string](s.(string))
	switch op.Kind {
	case history.Enqueue:
		return render(append(all, op.Value.Text())), answered(op, int64(len(all)+1))
	case history.Dequeue:
		head := history.Absent
		if len(all) > 0 {
			head, all = history.String(all[0]), all[1:]
		}
		return render(all), op.Outcome == history.Unknown || head == op.Observed
	}
	seen, _ := m.Reveals(op)
	return s, seen == s
}

// parse reads a state or a value that is JSON.
func parse[T any](text string) (v T, err error) { return v, json.Unmarshal([]byte(text), &v) }

// render makes a state of strings: equal ones are equal texts.
func render[T any](v T) string {
	text, _ := json.Marshal(v)
	return string(text)
}
