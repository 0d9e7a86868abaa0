// SPDX-License-Identifier: Apache-2.0

package db

import "sync"

const (
	// MaxPast is how many published states are kept. They share what did not
	// change between them, so each costs about what its commands changed.
	MaxPast = 1000
	// maxPastClusters bounds the clusters that these states do not share, about a
	// kilobyte each: while a large fleet attaches, fewer states are kept.
	maxPastClusters = 100_000
)

// past keeps the newest published states of this replica. It is no part of
// the replicated state: it only lets people ask what led to a decision.
type past struct {
	mu       sync.Mutex
	states   []pastState // the oldest first
	clusters int         // of all
}

type pastState struct {
	*State
	clusters int // that it does not share with the one before
}

// add keeps a state, in which so many clusters are others than in the one before.
func (p *past) add(s *State, clusters int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.states = append(p.states, pastState{s, clusters})
	p.clusters += clusters
	for len(p.states) > 1 && (len(p.states) > MaxPast || p.clusters > maxPastClusters) {
		p.clusters -= p.states[0].clusters
		p.states[0] = pastState{}
		p.states = p.states[1:]
	}
}

// at returns the state with the index, or nil.
func (p *past) at(index uint64) *State {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.states {
		if s.Index == index {
			return s.State
		}
	}
	return nil
}
