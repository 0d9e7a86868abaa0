// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"sync/atomic"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(scenarios.BugKind{
		Name:     "stale-read",
		Doc:      "A get is answered with the state before the newest one.",
		Occasion: "a get of a key that was written since the state machine was started",
		Every:    300,
		FoundBy:  []string{Linearizability},
	}, func(t trigger) statemachine.Core {
		return &stale{Store: t.store(), trigger: t, before: map[string]kv.State{}}
	})
}

// stale is a core that answers gets with the state before the newest one, as a
// cache that is one write late does.
type stale struct {
	*kv.Store
	trigger
	before map[string]kv.State
	gets   atomic.Uint64
}

// Apply implements statemachine.Core.
func (s *stale) Apply(index uint64, data []byte) kv.Answer {
	command, err := kv.DecodeCommand(data)
	if err != nil {
		return s.Store.Apply(index, data)
	}
	seen := s.Get(command.Key)
	answer := s.Store.Apply(index, data)
	if answer.Status == kv.OK {
		s.before[command.Key] = seen
	}
	return answer
}

// Lookup implements statemachine.Core.
func (s *stale) Lookup(query []byte) []byte {
	key, isGet := kv.KeyOfGet(query)
	before, known := s.before[key]
	if !isGet || !known || !s.strikes(s.gets.Add(1)) {
		return s.Store.Lookup(query)
	}
	return kv.Answer{Status: kv.OK, Observed: before, Applied: s.Digest().Applied}.Encode()
}

// Restore implements statemachine.Core.
func (s *stale) Restore(image *kv.Image) {
	clear(s.before)
	s.Store.Restore(image)
}
