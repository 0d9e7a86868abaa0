// SPDX-License-Identifier: Apache-2.0

package online

import (
	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
)

// prune forgets the blocks of a key that are settled. Let T be a time before
// which nothing will be called any more. If some block A has first < T and
// last > B's first, then an operation that would see B after T clashes with A:
// nobody can see B any more, and B's zone can't grow. B's zone still forbids
// others until no block that may grow began before B's end.
func (o *Judge) prune(k *key) {
	t := o.horizon(k)
	top, second := int64(keylog.Beginning), int64(keylog.Beginning) // greatest ends of blocks that began before T
	var topHead uint32
	for _, h := range k.order {
		b := &o.states[h]
		if b.First >= t {
			continue
		}
		switch {
		case b.Last > top:
			top, second, topHead = b.Last, top, h
		case b.Last > second:
			second = b.Last
		}
	}
	// A block is settled if one that began before T ends after it began; the
	// block that ends last does not settle itself.
	first := t
	for _, h := range k.order {
		b := &o.states[h]
		end := top
		if h == topHead {
			end = second
		}
		b.gone = b.First < end && b.First != history.Never
		if !b.gone {
			first = min(first, b.First)
		}
	}
	some := false
	for _, h := range k.order {
		b := &o.states[h]
		b.gone = b.gone && b.Last <= first
		some = some || b.gone
	}
	if some {
		o.forgetGone(k)
	}
	k.pruneAt = max(o.leastPrune, 2*len(k.live))
}

// forgetGone forgets the states of the blocks that are gone.
func (o *Judge) forgetGone(k *key) {
	for _, n := range k.live {
		if s := &o.states[n]; s.effective && s.open {
			o.states[s.head].gone = false // its writer has yet to return
		}
	}
	k.order, k.forward = o.staying(k.order), o.staying(k.forward)
	live, dead := k.live[:0], o.dead[:0]
	for _, n := range k.live {
		if s := &o.states[n]; s.effective && o.states[s.head].gone {
			dead = append(dead, n)
		} else {
			live = append(live, n)
		}
	}
	for _, n := range dead {
		o.forget(n)
	}
	k.live, o.dead = live, dead
	o.rescan(k)
}

// staying keeps the blocks that are not gone.
func (o *Judge) staying(heads []uint32) []uint32 {
	kept := heads[:0]
	for _, h := range heads {
		if !o.states[h].gone {
			kept = append(kept, h)
		}
	}
	return kept
}
