// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"errors"
	"fmt"
	"math"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Log is a history in a compact form, sorted by key as it is taken in: what
// Check needs of it, 32 bytes an operation and the texts once. It is for
// key-value histories too big to be held as a []history.Op.
//
// A Log is not safe for concurrent use.
type Log struct {
	keys   []*keyLog
	byName map[string]*keyLog
	last   *keyLog // the key of the operation before
	states *stateTable
	len    int
	model  kv
}

// NewLog returns an empty log of key-value operations.
func NewLog() *Log {
	return &Log{states: newStateTable(), byName: make(map[string]*keyLog), model: KV.(kv)}
}

// Len returns the number of operations added.
func (l *Log) Len() int { return l.len }

var errTooLong = errors.New("a log holds 2^31 operations at most")

// Add takes in an operation. It returns an error for one that is none, and
// for more operations or values than a log can tell apart (2^31).
func (l *Log) Add(op *history.Op) error {
	if err := l.model.Validate(op); err != nil {
		return err
	}
	if l.len > math.MaxInt32 {
		return errTooLong
	}
	k := l.key(op.Key)
	e := entry{call: op.Call, ret: op.End(), at: uint32(l.len)}
	if l.model.Says(op) {
		k.fill(&e, op)
	}
	if len(l.states.refs) > maxStates {
		return fmt.Errorf("the history has more than %d different values", maxStates)
	}
	k.add(e)
	l.len++
	return nil
}

func (l *Log) key(name string) *keyLog {
	if l.last != nil && l.last.name == name {
		return l.last
	}
	k, ok := l.byName[name]
	if !ok {
		k = newKeyLog(name, uint32(len(l.keys)), l.states)
		l.byName[name] = k
		l.keys = append(l.keys, k)
	}
	l.last = k
	return k
}

// NeedsOps says whether CheckLog needs fetch to judge: operations name the
// writes that they saw.
func (l *Log) NeedsOps() bool {
	for _, k := range l.keys {
		if k.outside&named != 0 {
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
