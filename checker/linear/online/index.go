// SPDX-License-Identifier: Apache-2.0

package online

import (
	"hash/maphash"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// identity is what tells the states of a key apart: the name of the write, or
// the value.
type identity struct {
	text string
	key  uint32
	kind uint8
}

// The kinds of identity: the name of a write, or a value.
const (
	idName uint8 = iota
	idAbsent
	idText
	idOther
)

func kindOf(v history.Value) uint8 {
	switch {
	case v.IsAbsent():
		return idAbsent
	case v.IsText():
		return idText
	}
	return idOther
}

func idOf(key uint32, v history.Value) identity {
	return identity{key: key, text: v.Text(), kind: kindOf(v)}
}

// stateIndex finds states by their identity: open addressing with linear
// probing. A place holds the upper half of the hash and the number of the
// state; 0 is free.
type stateIndex struct {
	seed  maphash.Seed
	slots []uint64
	used  int
}

func (x *stateIndex) init() {
	x.seed = maphash.MakeSeed()
	x.slots = make([]uint64, 4096)
}

func (x *stateIndex) hash(id identity) uint32 {
	h := maphash.String(x.seed, id.text) ^ (uint64(id.key)<<3|uint64(id.kind)+1)*0x9e3779b97f4a7c15
	return uint32(h ^ h>>32)
}

func (x *stateIndex) find(texts []content, h uint32, id identity) uint32 {
	mask := uint32(len(x.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		e := x.slots[i]
		if e == 0 {
			return 0
		}
		if n := uint32(e); uint32(e>>32) == h && texts[n].id == id {
			return n
		}
	}
}

func (x *stateIndex) insert(h, n uint32) {
	if x.used*2 >= len(x.slots) {
		old := x.slots
		x.slots, x.used = make([]uint64, 2*len(old)), 0
		for _, e := range old {
			if e != 0 {
				x.insert(uint32(e>>32), uint32(e))
			}
		}
	}
	mask := uint32(len(x.slots) - 1)
	i := h & mask
	for x.slots[i] != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = uint64(h)<<32 | uint64(n)
	x.used++
}

// remove takes a state out and closes the gap: states that were displaced by
// it move up.
func (x *stateIndex) remove(h, n uint32) {
	mask := uint32(len(x.slots) - 1)
	i := h & mask
	for uint32(x.slots[i]) != n {
		if x.slots[i] == 0 {
			return
		}
		i = (i + 1) & mask
	}
	x.used--
	for j := i; ; {
		x.slots[i] = 0
		for {
			j = (j + 1) & mask
			if x.slots[j] == 0 {
				return
			}
			home := uint32(x.slots[j]>>32) & mask
			if (j-home)&mask >= (j-i)&mask {
				break
			}
		}
		x.slots[i] = x.slots[j]
		i = j
	}
}
