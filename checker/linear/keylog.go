// SPDX-License-Identifier: Apache-2.0

package linear

import (
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
	call, ret int64   // ret is history.Never for an unknown outcome
	at        uint32  // the operation's position in the whole history
	value     stateID // what is written
	seen      stateID // what was observed, or must have been there before
	kind      entryKind
}

// Why a key can't be judged by zones alone.
type outside uint8

const (
	refutes outside = 1 << iota // somebody saw that the value was not the expected one
	extends                     // there are appends
	named                       // operations name the writes they saw
)

// keyLog is the part of a log that belongs to one key, in the order of the log.
// Everything about a key lies close together: judging it stays within the
// processor's cache, and keys can be judged at the same time.
type keyLog struct {
	name   string
	number uint32
	// chunks hold chunkLen entries each, but for the last.
	chunks [][]entry
	len    int
	// states are the numbers that the values of this key have in table, by
	// stateID.
	states  []uint32
	table   *stateTable
	writes  int // operations of kind write or rmw
	said    int // operations that say anything
	outside outside
}

const (
	chunkBits = 8
	chunkLen  = 1 << chunkBits
)

// initial is the state in which each key begins.
const initial = firstState

const longAgo = math.MinInt64

func newKeyLog(name string, number uint32, table *stateTable) *keyLog {
	k := &keyLog{name: name, number: number, table: table, states: make([]uint32, firstState, firstState+2)}
	k.id(history.Absent) // is initial
	return k
}

// id returns the id of a value of the key.
func (k *keyLog) id(v history.Value) stateID { return k.table.id(k, v) }

// value returns the value that an id stands for.
func (k *keyLog) value(id stateID) history.Value { return k.table.value(k.states[id]) }

// entry returns entry i of the key.
func (k *keyLog) entry(i int32) *entry { return &k.chunks[i>>chunkBits][i&(chunkLen-1)] }

func (k *keyLog) add(e entry) {
	if k.len&(chunkLen-1) == 0 {
		size := 4
		if k.len > 0 {
			size = chunkLen
		}
		k.chunks = append(k.chunks, make([]entry, 0, size))
	}
	last := &k.chunks[len(k.chunks)-1]
	*last = append(*last, e)
	k.len++
}

// fill says what an operation means.
func (k *keyLog) fill(e *entry, op *history.Op) {
	k.said++
	if op.Writer != "" || op.ObservedWriter != "" {
		k.outside |= named
	}
	switch op.Kind {
	case history.Get:
		e.kind, e.seen = read, k.id(op.Observed)
	case history.Put:
		e.kind, e.value = write, k.id(op.Value)
	case history.Delete:
		e.kind, e.value = write, initial
	case history.Append:
		e.kind, e.value = extend, k.id(op.Value)
		k.outside |= extends
	case history.Cas:
		k.fillCas(e, op)
	}
	if e.kind == write || e.kind == rmw {
		k.writes++
	}
}

func (k *keyLog) fillCas(e *entry, op *history.Op) {
	switch {
	case op.Outcome != history.Fail:
		e.kind, e.seen, e.value = rmw, k.id(op.Expected), k.id(op.Value)
	case !op.Observed.Stated():
		e.kind, e.seen = refute, k.id(op.Expected)
		k.outside |= refutes
	case op.Observed == op.Expected:
		e.kind = impossible
	default:
		e.kind, e.seen = read, k.id(op.Observed)
	}
}

// op tells entry i as an operation. What the entry does not hold (client,
// host, what a failed cas wanted to write) is lost.
func (k *keyLog) op(i int32) history.Op {
	e := k.entry(i)
	op := history.Op{Key: k.name, Call: e.call, Return: e.ret, Outcome: history.OK}
	if e.ret == history.Never {
		op.Outcome, op.Return = history.Unknown, 0
	}
	switch e.kind {
	case read:
		op.Kind, op.Observed = history.Get, k.value(e.seen)
	case write:
		op.Kind, op.Value = history.Put, k.value(e.value)
	case rmw:
		op.Kind, op.Expected, op.Value = history.Cas, k.value(e.seen), k.value(e.value)
	case extend:
		op.Kind, op.Value = history.Append, k.value(e.value)
	case refute, impossible:
		op.Kind, op.Outcome, op.Refuted = history.Cas, history.Fail, e.kind == refute
		op.Expected, op.Value = k.value(e.seen), history.Absent
		if e.kind == impossible {
			op.Observed = op.Expected
		}
	default:
		op.Kind, op.Outcome = history.Get, history.Fail
	}
	return op
}
