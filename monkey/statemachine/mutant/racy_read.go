// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"sync"
	"sync/atomic"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(scenarios.BugKind{
		Name:     "racy-read",
		Doc:      "Gets share a map of answers without a lock: one that is preempted while it works out an answer has another get of the key answered with an absent value.",
		Occasion: "a get whose answer is not in the map: of a key that was not asked for since the last update",
		Every:    1,
		FoundBy:  []string{Linearizability},
		Racy:     true,
	}, func(t trigger) statemachine.Core {
		return &racy{Store: t.store(), trigger: t, answers: map[string]*cached{}}
	})
}

// racy is a core that keeps the answers of gets until the next update. Updates
// are kept from gets by the lock of the state machine, but gets run side by side,
// and the map has no lock of its own. In Go's order nobody is preempted between the
// look into the map and the answer's being there.
type racy struct {
	*kv.Store
	trigger
	answers map[string]*cached // by key
	gets    atomic.Uint64
	meter   meter
}

// cached is an answer, or, for a moment, the place for one.
type cached struct{ answer []byte }

// meter counts what a state machine is asked, as one that is monitored does.
type meter struct {
	mu    sync.Mutex
	asked map[string]uint64 // by key
}

func (m *meter) add(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.asked == nil {
		m.asked = map[string]uint64{}
	}
	m.asked[key]++
}

// Apply implements statemachine.Core.
func (r *racy) Apply(index uint64, data []byte) kv.Answer {
	clear(r.answers)
	return r.Store.Apply(index, data)
}

// Lookup implements statemachine.Core.
func (r *racy) Lookup(query []byte) []byte {
	key, isGet := kv.KeyOfGet(query)
	if !isGet || mix(r.seed^mix(r.gets.Add(1)))%r.every != 0 {
		return r.Store.Lookup(query)
	}
	c := r.answers[key]
	if c == nil {
		c = &cached{}
		r.answers[key] = c
		r.counts.occasions.Add(1)
		r.meter.add(key) // here it may be preempted
		c.answer = r.Store.Lookup(query)
	}
	if c.answer == nil {
		r.counts.strikes.Add(1)
		return kv.Answer{Status: kv.OK, Applied: r.Digest().Applied}.Encode()
	}
	return c.answer
}

// Restore implements statemachine.Core.
func (r *racy) Restore(image *kv.Image) {
	clear(r.answers)
	r.Store.Restore(image)
}
