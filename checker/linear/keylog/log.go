// SPDX-License-Identifier: Apache-2.0

package keylog

import (
	"fmt"
	"hash/maphash"
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
