// SPDX-License-Identifier: Apache-2.0

package search

// seenSet holds configurations and drops those that another one dominates.
type seenSet struct {
	size, spent int
	words       []uint32
	heads       []int32 // by hash of all but the counts; -1 is empty
	chain       []int32
	hashes      []uint32
}

func newSeenSet(size, spent int) seenSet {
	s := seenSet{size: size, spent: spent, heads: make([]int32, 256)}
	for i := range s.heads {
		s.heads[i] = -1
	}
	return s
}

// held returns the bytes that the set takes.
func (s *seenSet) held() int64 {
	return int64(cap(s.words)+cap(s.heads)+cap(s.chain)+cap(s.hashes)) * 4
}

func (s *seenSet) len() int { return len(s.chain) }

func (s *seenSet) record(at int32) []uint32 {
	i := int(at) * s.size
	return s.words[i : i+s.size : i+s.size]
}

func (s *seenSet) reset() {
	s.words, s.chain, s.hashes = s.words[:0], s.chain[:0], s.hashes[:0]
	for i := range s.heads {
		s.heads[i] = -1
	}
}

// add puts a configuration in, unless one is there that is equal but for
// counts that are no greater.
func (s *seenSet) add(c []uint32) (at int32, fresh bool) {
	h := s.hash(c)
	slot := h & uint32(len(s.heads)-1)
	for i := s.heads[slot]; i >= 0; i = s.chain[i] {
		if s.hashes[i] == h && s.dominates(s.record(i), c) {
			return i, false
		}
	}
	at = int32(len(s.chain))
	s.words = append(s.words, c...)
	s.chain = append(s.chain, s.heads[slot])
	s.hashes = append(s.hashes, h)
	s.heads[slot] = at
	if len(s.chain) > len(s.heads) {
		s.grow()
	}
	return at, true
}

func (s *seenSet) hash(c []uint32) uint32 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, w := range c[:s.spent] {
		h = (h ^ uint64(w)) * 0xff51afd7ed558ccd
		h ^= h >> 32
	}
	return uint32(h)
}

func (s *seenSet) dominates(a, c []uint32) bool {
	for i := range s.spent {
		if a[i] != c[i] {
			return false
		}
	}
	for i := s.spent; i < s.size; i++ {
		if a[i] != c[i] && (a[i]&0xffff > c[i]&0xffff || a[i]>>16 > c[i]>>16) {
			return false
		}
	}
	return true
}

func (s *seenSet) grow() {
	s.heads = make([]int32, 4*len(s.heads))
	for i := range s.heads {
		s.heads[i] = -1
	}
	mask := uint32(len(s.heads) - 1)
	for i, h := range s.hashes {
		s.chain[i] = s.heads[h&mask]
		s.heads[h&mask] = int32(i)
	}
}
