// SPDX-License-Identifier: Apache-2.0

package keylog

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math/bits"
	"runtime"
	"sync/atomic"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/internal/parallel"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// Log is a key-value history. It does not change, and is safe for concurrent
// use.
type Log struct {
	// Keys are the keys, by first appearance.
	Keys []*Key
	len  int
}

// Len returns the number of operations.
func (l *Log) Len() int { return l.len }

// NamesWrites reports whether operations name the writes that they saw. A Log
// does not hold those names.
func (l *Log) NamesWrites() bool {
	for _, k := range l.Keys {
		if k.Features&NamedWrites != 0 {
			return true
		}
	}
	return false
}

// Join makes a log of the parts of a history, in their order. The parts can't
// be used any more.
func Join(parts ...*Builder) (*Log, error) {
	l := &Log{}
	byName := make(map[string]int)
	var all [][]located // by key
	for _, b := range parts {
		for _, k := range b.order {
			n, ok := byName[k.name]
			if !ok {
				n = len(all)
				byName[k.name] = n
				all = append(all, nil)
			}
			all[n] = append(all[n], located{k, uint32(l.len)})
		}
		if l.len += b.len; l.len > maxOps {
			return nil, errTooLong
		}
		*b = Builder{model: b.model, keys: make(map[string]*keyPart)}
	}
	l.Keys = make([]*Key, len(all))
	var failed atomic.Value
	l.EachKey(func() func(int) {
		s := sealer{seed: maphash.MakeSeed()}
		return func(n int) {
			k, err := s.seal(all[n])
			if err != nil {
				failed.Store(err)
			}
			l.Keys[n], all[n] = k, nil
		}
	})
	if err := failed.Load(); err != nil {
		return nil, err.(error)
	}
	return l, nil
}

// located is a part of a key with the number of operations before it.
type located struct {
	*keyPart
	before uint32
}

// Of makes a log of operations. The error says which operation is none of the
// model.
func Of(m model.Model, ops []history.Op) (*Log, error) {
	workers := workersFor(len(ops))
	parts := make([]*Builder, workers)
	errs := make([]error, workers)
	size := (len(ops) + workers - 1) / workers
	parallel.Do(workers, func(n int) {
		parts[n] = NewBuilder(m)
		for i := n * size; i < min(len(ops), (n+1)*size); i++ {
			if err := parts[n].Add(&ops[i]); err != nil {
				errs[n] = fmt.Errorf("operation %d (client %d, key %q): %w", i, ops[i].Client, ops[i].Key, err)
				return
			}
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return Join(parts...)
}

// opsOfWorker is the number of operations from which another goroutine pays:
// it takes some microseconds to start, as much as a thousand operations.
const opsOfWorker = 20_000

func workersFor(ops int) int { return min(runtime.GOMAXPROCS(0), 1+ops/opsOfWorker) }

// EachKey calls what worker returns with the number of each key, on as many
// goroutines as pay. Each goroutine has a worker of its own.
func (l *Log) EachKey(worker func() func(key int)) {
	parallel.Each(len(l.Keys), workersFor(l.len), worker)
}

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
