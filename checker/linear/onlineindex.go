// SPDX-License-Identifier: Apache-2.0

package linear

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

const (
	idName uint8 = 7
)

func idOf(key uint32, v history.Value) identity {
	return identity{key: key, text: v.Text(), kind: uint8(valueCode(v))}
}

// stateIndex finds states by their identity: open addressing with linear
// probing; the states themselves keep identity and hash.
type stateIndex struct {
	seed  maphash.Seed
	slots []uint32
	used  int
}

func (x *stateIndex) init() {
	x.seed = maphash.MakeSeed()
	x.slots = make([]uint32, 256)
}

func (x *stateIndex) hash(id identity) uint64 {
	h := maphash.String(x.seed, id.text) ^ (uint64(id.key)<<3|uint64(id.kind)+1)*0x9e3779b97f4a7c15
	return h ^ h>>32
}

func (x *stateIndex) find(states []onlineState, h uint64, id identity) uint32 {
	mask := uint64(len(x.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		n := x.slots[i]
		if n == 0 || states[n].hash == h && states[n].id == id {
			return n
		}
	}
}

func (x *stateIndex) insert(states []onlineState, h uint64, n uint32) {
	if x.used*2 >= len(x.slots) {
		old := x.slots
		x.slots, x.used = make([]uint32, 2*len(old)), 0
		for _, m := range old {
			if m != 0 {
				x.insert(states, states[m].hash, m)
			}
		}
	}
	mask := uint64(len(x.slots) - 1)
	i := h & mask
	for x.slots[i] != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = n
	x.used++
}

// remove takes a state out and closes the gap: states that were displaced by
// it move up.
func (x *stateIndex) remove(states []onlineState, h uint64, n uint32) {
	mask := uint64(len(x.slots) - 1)
	i := h & mask
	for x.slots[i] != n {
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
			home := states[x.slots[j]].hash & mask
			if (j-home)&mask >= (j-i)&mask {
				break
			}
		}
		x.slots[i] = x.slots[j]
		i = j
	}
}
