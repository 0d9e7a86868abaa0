// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"fmt"
	"math"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// entryKind says what an operation means to the zone algorithm.
type entryKind uint8

const (
	silent     entryKind = iota // says nothing
	read                        // the state was seen
	write                       // the state became value, whatever it was
	rmw                         // the state became value, and was seen before
	refute                      // the state was not seen (a failed cas)
	extend                      // value was appended: outside the fragment
	impossible                  // contradicts itself: a failed cas that saw what it expected
)

// entry is an operation in the form in which it is judged: 32 bytes.
type entry struct {
	call, ret int64 // ret is history.Never for an unknown outcome
	key       uint32
	value     stateID // what is written
	seen      stateID // what was observed, or must have been there before
	kind      entryKind
	cas       bool // kind write or rmw: came from a cas
}

// Why a key can't be judged by zones alone.
type outside uint8

const (
	refutes  outside = 1 << iota // somebody saw that the value was not the expected one
	extends                      // there are appends
	repeated                     // a value was written twice
	named                        // operations name the writes they saw
)

// Log is a history in a compact form, taken in operation by operation: what
// Check needs of it, 32 bytes an operation and the texts once. It is for
// key-value histories too big to be held as a []history.Op.
//
// A Log is not safe for concurrent use.
type Log struct {
	entries []entry
	states  *stateTable
	keys    map[string]uint32
	names   []string
	initial []stateID
	writes  []uint32 // writes of each key
	said    []uint32 // operations of each key that say anything
	outside []outside
	model   kv
	last    struct {
		name string
		key  uint32
	}
}

// NewLog returns an empty log of key-value operations.
func NewLog() *Log {
	return &Log{states: newStateTable(), keys: make(map[string]uint32), model: KV.(kv)}
}

// Len returns the number of operations added.
func (l *Log) Len() int { return len(l.entries) }

// Grow makes room for n more operations.
func (l *Log) Grow(n int) {
	if cap(l.entries)-len(l.entries) < n {
		l.entries = append(make([]entry, 0, len(l.entries)+n), l.entries...)
	}
}

// Add takes in an operation. It returns an error for one that is none, and
// for more values than a log can tell apart (2^31).
func (l *Log) Add(op *history.Op) error {
	if err := l.model.Validate(op); err != nil {
		return err
	}
	e := entry{call: op.Call, ret: op.End(), key: l.key(op.Key)}
	if l.model.Says(op) {
		l.said[e.key]++
		l.fill(&e, op)
	}
	if len(l.states.refs) > maxStates {
		return fmt.Errorf("the history has more than %d different values", maxStates)
	}
	l.entries = append(l.entries, e)
	return nil
}

func (l *Log) key(name string) uint32 {
	if name == l.last.name && len(l.names) > 0 {
		return l.last.key
	}
	k, ok := l.keys[name]
	if !ok {
		k = uint32(len(l.names))
		l.keys[name] = k
		l.names = append(l.names, name)
		l.initial = append(l.initial, l.states.id(k, history.Absent))
		l.writes = append(l.writes, 0)
		l.said = append(l.said, 0)
		l.outside = append(l.outside, 0)
	}
	l.last.name, l.last.key = name, k
	return k
}

func (l *Log) fill(e *entry, op *history.Op) {
	if op.Writer != "" || op.ObservedWriter != "" {
		l.outside[e.key] |= named
	}
	switch op.Kind {
	case history.Get:
		e.kind, e.seen = read, l.states.id(e.key, op.Observed)
	case history.Put:
		e.kind, e.value = write, l.states.id(e.key, op.Value)
	case history.Delete:
		e.kind, e.value = write, l.initial[e.key]
	case history.Append:
		e.kind, e.value = extend, l.states.id(e.key, op.Value)
		l.outside[e.key] |= extends
	case history.Cas:
		l.fillCas(e, op)
	}
	if e.kind == write || e.kind == rmw {
		l.writes[e.key]++
	}
}

func (l *Log) fillCas(e *entry, op *history.Op) {
	e.cas = true
	switch {
	case op.Outcome != history.Fail:
		e.kind, e.seen, e.value = rmw, l.states.id(e.key, op.Expected), l.states.id(e.key, op.Value)
	case !op.Observed.Stated():
		e.kind, e.seen = refute, l.states.id(e.key, op.Expected)
		l.outside[e.key] |= refutes
	case op.Observed == op.Expected:
		e.kind = impossible
	default:
		e.kind, e.seen = read, l.states.id(e.key, op.Observed)
	}
}

const longAgo = math.MinInt64

// NeedsOps says whether CheckLog needs fetch to judge: operations name the
// writes that they saw.
func (l *Log) NeedsOps() bool {
	for _, o := range l.outside {
		if o&named != 0 {
			return true
		}
	}
	return false
}

// Compactable says whether a history of the model can be held as a Log.
func Compactable(m Model) bool {
	m2, ok := m.(kv)
	return ok && !m2.register
}
