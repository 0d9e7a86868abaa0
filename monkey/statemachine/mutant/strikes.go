// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"sync/atomic"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// Strikes counts what the bad nodes of a run did. Entries that a node applies
// again, after a restart, count again: it misbehaves again. The zero value is
// ready; it is safe for concurrent use.
type Strikes struct {
	occasions, strikes atomic.Uint64
}

// Occasions is how often the bug could have struck: only what would have made a
// difference counts.
func (s *Strikes) Occasions() uint64 { return s.occasions.Load() }

// Count is how often it did: a node answered, stored or saved something wrong.
func (s *Strikes) Count() uint64 { return s.strikes.Load() }

// trigger draws the occasions at which one bad node misbehaves, and counts them.
type trigger struct {
	seed, every uint64
	counts      *Strikes
	version     kv.Version
}

// store makes the store of the node.
func (t trigger) store() *kv.Store { return kv.NewOf(t.version) }

// strikes reports whether the bug strikes at an occasion. The number names the
// occasion: the same one gets the same answer.
func (t trigger) strikes(number uint64) bool {
	t.counts.occasions.Add(1)
	if mix(t.seed^mix(number))%t.every != 0 {
		return false
	}
	t.counts.strikes.Add(1)
	return true
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
