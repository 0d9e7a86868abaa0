// SPDX-License-Identifier: Apache-2.0

package keylog

import (
	"bytes"
	"hash/maphash"
	"math/bits"
)

// sealer makes keys of their parts, one after the other in the same memory.
type sealer struct {
	seed maphash.Seed
	// table finds states by their values: open addressing. A slot holds the
	// upper half of the hash and the state; 0 is free.
	table  []uint64
	text   []byte
	offset []uint32
}

func (s *sealer) seal(parts []located) (*Key, error) {
	k := &Key{Name: parts[0].name}
	n := 0
	for _, p := range parts {
		n += p.len
		k.Features |= p.features
	}
	k.Entries = make([]Entry, n)
	s.text, s.offset = s.text[:0], s.offset[:0]
	s.grow(n)
	n = 0
	for _, p := range parts {
		for _, b := range append(p.full, p.last) {
			n += copy(k.Entries[n:], b.entries)
			for j := n - len(b.entries); j < n; j++ {
				e := &k.Entries[j]
				e.At += p.before
				switch e.Kind {
				case Read, Mismatch, Contradiction:
					e.Seen = s.state(b.text, e.Seen)
				case Write, Append:
					e.Value = s.state(b.text, e.Value)
				case ReadModifyWrite:
					e.Seen, e.Value = s.state(b.text, e.Seen), s.state(b.text, e.Value)
				}
				k.count(e)
			}
			if len(s.offset) > maxStates || len(s.text) > maxText {
				return nil, errTooManyValues(k.Name)
			}
		}
	}
	k.text, k.offset = bytes.Clone(s.text), append([]uint32(nil), s.offset...)
	return k, nil
}

// maxText keeps places in a key's text within 32 bits, whatever a block adds.
const maxText = 1<<32 - 1 - maxBlockText - 2*maxValue

// state returns the state for the value at a place of a block's text, plus
// one.
func (s *sealer) state(text []byte, place uint32) StateID {
	if place == 0 {
		return Initial
	}
	v := encoded(text[place-1:])
	h := maphash.Bytes(s.seed, v)
	tag := h &^ (1<<32 - 1)
	for {
		mask := uint64(len(s.table) - 1)
		i := tag >> 32 & mask
		for ; s.table[i] != 0; i = (i + 1) & mask {
			if e := s.table[i]; e&^(1<<32-1) == tag {
				id := StateID(e)
				if bytes.Equal(encoded(s.text[s.offset[id-firstValue]:]), v) {
					return id
				}
			}
		}
		id := firstValue + StateID(len(s.offset))
		if 2*len(s.offset) >= len(s.table) {
			s.rehash()
			continue
		}
		s.table[i] = tag | uint64(id)
		s.offset = append(s.offset, uint32(len(s.text)))
		s.text = append(s.text, v...)
		return id
	}
}

// grow empties the table, and gives it room for the states of n operations as
// they mostly are: half of them write.
func (s *sealer) grow(n int) {
	size := 1 << bits.Len(uint(max(n, 16)))
	if cap(s.table) < size {
		s.table = make([]uint64, size)
		return
	}
	s.table = s.table[:size]
	clear(s.table)
}

// rehash doubles the table. The slots keep the bits of the hash that choose
// their places.
func (s *sealer) rehash() {
	old := s.table
	s.table = make([]uint64, 2*len(old))
	mask := uint64(len(s.table) - 1)
	for _, e := range old {
		if e == 0 {
			continue
		}
		i := e >> 32 & mask
		for s.table[i] != 0 {
			i = (i + 1) & mask
		}
		s.table[i] = e
	}
}
