// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Table is a table a key, whose rows hold texts, none at first. A txn carries out its
// steps one after the other, and nothing comes between them: Value is a JSON array of
// ["r", row, null], ["w", row, text] and ["append", row, text], and Observed the same
// with what was read in the place of null. get observes all rows as a JSON object.
var Table Model = table{}

type table struct{}

// step is what is done (r, w or append), the row, and what is written or was read; nil:
// nothing was there.
type step [3]*string

func (table) Name() string                   { return "table" }
func (table) Part(op *history.Op) string     { return op.Key }
func (table) Init(string) State              { return "{}" }
func (table) Constrains(op *history.Op) bool { return constrainsUnlessFailed(op) }
func (table) Observes(op *history.Op) bool   { return op.Kind == history.Get }

func (table) Validate(op *history.Op) error {
	switch op.Kind {
	case history.Txn:
		if _, err := steps(op.Value.Text()); err != nil {
			return fmt.Errorf("the steps of a txn can't be read: %w", err)
		}
		if op.Outcome == history.OK {
			if _, err := steps(op.Observed.Text()); err != nil {
				return fmt.Errorf("what a txn observed can't be read: %w", err)
			}
		}
	case history.Get:
		if op.Outcome == history.OK && !op.Observed.IsAbsent() {
			if _, err := parse[map[string]string](op.Observed.Text()); err != nil {
				return fmt.Errorf("a table is observed as a JSON object of strings, not %s: %w", op.Observed, err)
			}
		}
	default:
		return fmt.Errorf("a table knows no %q", op.Kind)
	}
	return op.Validate()
}

func steps(text string) ([]step, error) {
	all, err := parse[[]step](text)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		what, row, value := s[0], s[1], s[2]
		if what == nil || row == nil || *what != "r" && (value == nil || *what != "w" && *what != "append") {
			return nil, fmt.Errorf("found a step that is none of [\"r\", row, …], [\"w\", row, text] and [\"append\", row, text] in %s", text)
		}
	}
	return all, nil
}

// Reveals implements Revealer.
func (m table) Reveals(op *history.Op) (State, bool) {
	if op.Observed.IsAbsent() {
		return m.Init(""), wasRead(op)
	}
	seen, _ := parse[map[string]string](op.Observed.Text())
	return render(seen), wasRead(op)
}

func (m table) Step(s State, op *history.Op) (State, bool) {
	if op.Kind == history.Get {
		seen, _ := m.Reveals(op)
		return s, seen == s
	}
	rows, _ := parse[map[string]string](s.(string))
	done, _ := steps(op.Value.Text())
	for i, d := range done {
		switch row := *d[1]; *d[0] {
		case "r":
			done[i][2] = nil
			if now, there := rows[row]; there {
				done[i][2] = &now
			}
		case "w":
			rows[row] = *d[2]
		default:
			rows[row] += *d[2]
		}
	}
	if op.Outcome == history.Unknown {
		return render(rows), true
	}
	seen, _ := steps(op.Observed.Text())
	return render(rows), slices.EqualFunc(done, seen, step.equal)
}

func (s step) equal(o step) bool {
	for i := range s {
		if (s[i] == nil) != (o[i] == nil) || s[i] != nil && *s[i] != *o[i] {
			return false
		}
	}
	return true
}
