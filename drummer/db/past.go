// SPDX-License-Identifier: Apache-2.0

package db

import "sync"

// MaxPast is how many published states are kept. They share what did not
// change between them, so each costs about what its commands changed.
const MaxPast = 1000

// past keeps the newest published states of this replica. It is no part of
// the replicated state: it only lets people ask what led to a decision.
type past struct {
	mu     sync.Mutex
	states [MaxPast]*State
	next   int
}

func (p *past) add(s *State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.states[p.next] = s
	p.next = (p.next + 1) % MaxPast
}

// at returns the state with the index, or nil.
func (p *past) at(index uint64) *State {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.states {
		if s != nil && s.Index == index {
			return s
		}
	}
	return nil
}
