// SPDX-License-Identifier: Apache-2.0

package keylog

import (
	"math"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// StateID stands for a state of a key: for the value that it holds. Equal
// values of a key have equal ids, different ones different ids: texts are
// compared, not hashes. The ids of a key are dense and in the order of first
// sight, which keeps the states of operations that are close in time close in
// memory.
type StateID = uint32

const (
	// Initial is the state in which each key begins: it holds nothing.
	Initial StateID = 2 // ids below have meanings of their own in package zones
)

// Beginning is the time before every operation.
const Beginning = math.MinInt64

// Kind says what an operation means to the algorithms that judge keys.
type Kind uint8

// The kinds of Entry.
const (
	// Unconstrained: the operation had no effect and observed nothing.
	Unconstrained Kind = iota
	// Read: Seen was there.
	Read
	// Write: the state became Value, whatever it was.
	Write
	// ReadModifyWrite: the state was Seen, and became Value.
	ReadModifyWrite
	// Mismatch: the state was not Seen (a failed cas that was told no more).
	Mismatch
	// Append: Value was appended to whatever was there.
	Append
	// Contradiction: a failed cas that saw what it expected.
	Contradiction
)

// Entry is an operation in the form in which it is judged.
type Entry struct {
	Call, Ret int64   // Ret is history.Never for an unknown outcome
	At        uint32  // the operation's position in the whole history
	Value     StateID // what is written
	Seen      StateID // what was observed, or must have been there before
	Kind      Kind
}

// Unknown reports whether the outcome of the operation is unknown.
func (e *Entry) Unknown() bool { return e.Ret == history.Never }

// Writes reports whether the entry leaves Value behind.
func (e *Entry) Writes() bool { return e.Kind == Write || e.Kind == ReadModifyWrite }

// Features say which of its operations keep a key from being decided by the
// zone algorithm alone.
type Features uint8

// The features.
const (
	// Mismatches: somebody saw only that the value was not the expected one.
	Mismatches Features = 1 << iota
	// Appends: values were appended to.
	Appends
	// NamedWrites: operations name the writes that they saw.
	NamedWrites
)

// Key is the part of a history that belongs to one key, in the order of the
// history. It does not change.
type Key struct {
	Name    string
	Entries []Entry
	// Writes counts the entries of kind Write and ReadModifyWrite,
	// Constraining all that are not Unconstrained.
	Writes, Constraining int
	Features             Features

	// text holds the values of the states, each behind its header; offset
	// where they begin, by StateID from Initial+1 on.
	text   []byte
	offset []uint32
}

// NewKey returns a key of entries whose states are numbered from Initial up,
// below states. The values of the states are not known.
func NewKey(entries []Entry, states StateID) *Key {
	k := &Key{Entries: entries, offset: make([]uint32, states-firstValue)}
	for i := range entries {
		k.count(&entries[i])
	}
	return k
}

// firstValue is the id of the first state that is not Initial.
const firstValue = Initial + 1

func (k *Key) count(e *Entry) {
	if e.Kind != Unconstrained {
		k.Constraining++
	}
	if e.Writes() {
		k.Writes++
	}
}

// States returns the number above all ids of the key.
func (k *Key) States() StateID { return firstValue + StateID(len(k.offset)) }

// Value returns the value of a state.
func (k *Key) Value(id StateID) history.Value {
	if id < firstValue {
		return history.Absent
	}
	return decode(k.text[k.offset[id-firstValue]:])
}

// Op returns entry i as an operation. What the entry does not hold (client,
// host, what a failed cas wanted to write) is lost.
func (k *Key) Op(i int) history.Op {
	e := &k.Entries[i]
	op := history.Op{Key: k.Name, Call: e.Call, Return: e.Ret, Outcome: history.OK}
	if e.Unknown() {
		op.Outcome, op.Return = history.Unknown, 0
	}
	switch e.Kind {
	case Read:
		op.Kind, op.Observed = history.Get, k.Value(e.Seen)
	case Write:
		op.Kind, op.Value = history.Put, k.Value(e.Value)
	case ReadModifyWrite:
		op.Kind, op.Expected, op.Value = history.Cas, k.Value(e.Seen), k.Value(e.Value)
	case Append:
		op.Kind, op.Value = history.Append, k.Value(e.Value)
	case Mismatch, Contradiction:
		op.Kind, op.Outcome, op.Refuted = history.Cas, history.Fail, e.Kind == Mismatch
		op.Expected, op.Value = k.Value(e.Seen), history.Absent
		if e.Kind == Contradiction {
			op.Observed = op.Expected
		}
	default:
		op.Kind, op.Outcome = history.Get, history.Fail
	}
	return op
}
