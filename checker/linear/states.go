// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"hash/maphash"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// stateID stands for a value of a key. Equal values of a key have equal ids,
// different ones different ids: the table compares texts, not hashes. The ids
// of a key are dense and in the order of first sight, which keeps the states
// of operations that are close in time close in memory.
type stateID = uint32

const (
	noState    stateID = 0
	firstState stateID = 2 // ids below have meanings of their own in slots
	maxStates          = 1<<31 - 1
)

// stateTable holds the values of all keys, and finds the ids that they have
// there.
type stateTable struct {
	seed  maphash.Seed
	table []uint64 // open addressing: upper half of the hash, and the place in refs; 0 is free
	refs  []stateRef
	arena []byte
}

type stateRef struct {
	off  uint64
	key  uint32
	size uint32 // length of the text, shifted left by valueBits, and the kind
	id   stateID
}

const valueBits = 3

func newStateTable() *stateTable {
	return &stateTable{seed: maphash.MakeSeed(), table: make([]uint64, 64), refs: make([]stateRef, 1)}
}

// Codes of the kinds of values; history.Value keeps its own to itself.
const (
	codeAbsent = iota
	codeText
	codeOther
)

func valueCode(v history.Value) uint32 {
	switch {
	case v.IsAbsent():
		return codeAbsent
	case v.IsText():
		return codeText
	}
	return codeOther
}

// id returns the id of a value of a key, which it gives one if need be.
func (t *stateTable) id(k *keyLog, v history.Value) stateID {
	text := v.Text()
	size := uint32(len(text))<<valueBits | valueCode(v)
	h := maphash.String(t.seed, text) ^ (uint64(k.number)+1)*0x9e3779b97f4a7c15 ^ uint64(size)*0xc2b2ae3d27d4eb4f
	h ^= h >> 29
	// The upper half of the hash both chooses the place and is kept, so that
	// the table can grow without hashing again.
	tag := h &^ 0xffffffff
	mask := uint64(len(t.table) - 1)
	for i := tag >> 32 & mask; ; i = (i + 1) & mask {
		e := t.table[i]
		if e == 0 {
			return t.add(i, tag, k, size, text)
		}
		if e&^0xffffffff == tag {
			r := &t.refs[uint32(e)]
			if r.key == k.number && r.size == size && string(t.arena[r.off:r.off+uint64(size>>valueBits)]) == text {
				return r.id
			}
		}
	}
}

func (t *stateTable) add(at, tag uint64, k *keyLog, size uint32, text string) stateID {
	id, n := stateID(len(k.states)), uint32(len(t.refs))
	k.states = append(k.states, n)
	t.refs = append(t.refs, stateRef{off: uint64(len(t.arena)), key: k.number, size: size, id: id})
	t.arena = append(t.arena, text...)
	t.table[at] = tag | uint64(n)
	if len(t.refs)*2 > len(t.table) {
		t.grow()
	}
	return id
}

func (t *stateTable) grow() {
	old := t.table
	t.table = make([]uint64, 2*len(old))
	mask := uint64(len(t.table) - 1)
	for _, e := range old {
		if e == 0 {
			continue
		}
		i := e >> 32 & mask
		for t.table[i] != 0 {
			i = (i + 1) & mask
		}
		t.table[i] = e
	}
}

// value returns the value at a place of refs.
func (t *stateTable) value(n uint32) history.Value {
	r := t.refs[n]
	text := string(t.arena[r.off : r.off+uint64(r.size>>valueBits)])
	switch r.size & (1<<valueBits - 1) {
	case codeAbsent:
		return history.Absent
	case codeText:
		return history.String(text)
	}
	if text == "true" || text == "false" {
		return history.Bool(text == "true")
	}
	return history.Integer(text)
}
