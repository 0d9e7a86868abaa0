// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// culprits returns the positions of a few operations that make a key illegal
// that the zones found to be bad: those that clash, and what they rest on. It
// takes time linear in the operations of the key.
func (z *zones) culprits(key uint32, idx []int32) []int32 {
	m := z.members(key, idx)
	c := &culprit{zones: z, members: m, picked: make(map[int32]bool)}
	for _, at := range idx {
		switch e := &z.log.entries[at]; e.kind {
		case impossible:
			return []int32{at}
		case read:
			if z.slots[e.seen].pred == 0 {
				return []int32{at} // nobody wrote it
			}
		}
	}
	if c.chains(idx) || c.within() || c.between() {
		return c.closure()
	}
	return idx
}

type culprit struct {
	*zones
	*members
	picked map[int32]bool
}

// effective says whether the writer at a position took effect for certain.
func (c *culprit) effective(at int32) bool {
	e := &c.log.entries[at]
	if e.ret != history.Never {
		return true
	}
	s := &c.slots[e.value]
	return s.wasRead() || s.next != 0
}

// chains looks for a cas that consumed what nobody wrote, for two that
// consumed the same, and for a circle.
func (c *culprit) chains(idx []int32) bool {
	consumer := make(map[stateID]int32)
	for _, at := range idx {
		e := &c.log.entries[at]
		if e.kind != rmw || !c.effective(at) {
			continue
		}
		other, twice := consumer[e.seen]
		if twice || c.slots[e.seen].pred == 0 {
			c.picked[at] = true
			if twice {
				c.picked[other] = true
			}
			return true
		}
		consumer[e.seen] = at
	}
	return c.circle(consumer)
}

// circle looks for effective cas from which going back never ends at a put.
func (c *culprit) circle(consumer map[stateID]int32) bool {
	const ends, open = 1, 2
	mark := make(map[stateID]int)
	for _, start := range consumer {
		var path []stateID
		id := c.log.entries[start].value
		for mark[id] == 0 && c.slots[id].isRmw() {
			mark[id] = open
			path = append(path, id)
			id = c.slots[id].pred &^ linked
		}
		if mark[id] == open {
			c.picked[c.writer[id]] = true
			return true
		}
		for _, id := range path {
			mark[id] = ends
		}
	}
	return false
}

// extreme names the operations that bound what happened to a state.
type extreme struct {
	at   int32 // -1 is the beginning of time
	time int64
}

// bounds returns the operation on a state that returns first and the one that
// is called last.
func (c *culprit) bounds(id stateID) (first, last extreme) {
	first, last = extreme{-1, history.Never}, extreme{-1, longAgo}
	note := func(at int32) {
		e := &c.log.entries[at]
		if e.ret < first.time || first.at < 0 && e.ret == first.time {
			first = extreme{at, e.ret}
		}
		if e.call > last.time {
			last = extreme{at, e.call}
		}
	}
	if at, ok := c.writer[id]; ok && c.slots[id].call != longAgo {
		note(at)
	} else {
		first = extreme{-1, longAgo}
	}
	for _, at := range c.reads[id] {
		note(at)
	}
	return first, last
}

// within looks for a block in which an operation returned before one that has
// to come earlier was called.
func (c *culprit) within() bool {
	for _, head := range c.heads {
		m := extreme{-1, longAgo}
		for id := head; id != 0; id = c.slots[id].next {
			s := &c.slots[id]
			w, hasWriter := c.writer[id]
			hasWriter = hasWriter && s.call != longAgo
			if hasWriter && s.ret < m.time {
				c.pick(m.at, w)
				return true
			}
			if hasWriter && s.call > m.time {
				m = extreme{w, s.call}
			}
			for _, at := range c.reads[id] {
				if c.log.entries[at].ret < m.time {
					c.pick(m.at, at)
					return true
				}
			}
			for _, at := range c.reads[id] {
				if e := &c.log.entries[at]; e.call > m.time {
					m = extreme{at, e.call}
				}
			}
		}
	}
	return false
}

type bounded struct {
	zone        zone
	first, last int32
}

// between looks for two blocks each of which has to come before the other.
func (c *culprit) between() bool {
	var blocks []bounded
	for _, head := range c.heads {
		s := &c.slots[head]
		if s.unknown() && s.next == 0 && !s.wasRead() {
			continue
		}
		b := bounded{zone: zone{history.Never, longAgo}, first: -1, last: -1}
		for id := head; id != 0; id = c.slots[id].next {
			first, last := c.bounds(id)
			if first.time < b.zone.first {
				b.zone.first, b.first = first.time, first.at
			}
			if last.time > b.zone.last {
				b.zone.last, b.last = last.time, last.at
			}
		}
		blocks = append(blocks, b)
	}
	a, b, found := clashing(blocks)
	if found {
		c.pick(a.first, a.last, b.first, b.last)
	}
	return found
}

// clashing finds a clash as clash does, and says between which blocks.
func clashing(blocks []bounded) (a, b bounded, found bool) {
	var forward []zone
	at := make(map[zone]bounded)
	for _, b := range blocks {
		if b.zone.first < b.zone.last {
			if other, twice := at[b.zone]; twice {
				return other, b, true
			}
			forward = append(forward, b.zone)
			at[b.zone] = b
		}
	}
	sortZones(forward)
	for i := 1; i < len(forward); i++ {
		if forward[i].first < forward[i-1].last {
			return at[forward[i-1]], at[forward[i]], true
		}
	}
	for _, b := range blocks {
		if b.zone.first < b.zone.last {
			continue
		}
		if n := seek(forward, 0, b.zone.last); n > 0 && b.zone.first < forward[n-1].last {
			return at[forward[n-1]], b, true
		}
	}
	return a, b, false
}

func (c *culprit) pick(at ...int32) {
	for _, i := range at {
		if i >= 0 {
			c.picked[i] = true
		}
	}
}

// closure adds to what was picked the writes that it rests on, and for writes
// of unknown outcome an operation that saw them.
func (c *culprit) closure() []int32 {
	var all []int32
	for at := range c.picked {
		all = append(all, at)
	}
	for i := 0; i < len(all); i++ {
		e := &c.log.entries[all[i]]
		if w, ok := c.writer[e.seen]; ok && (e.kind == read || e.kind == rmw) {
			all = c.more(all, w)
		}
		if e.ret == history.Never {
			if reads := c.reads[e.value]; len(reads) > 0 {
				all = c.more(all, reads[0])
			} else if next := c.slots[e.value].next; next != 0 {
				all = c.more(all, c.writer[next])
			}
		}
	}
	return all
}

func (c *culprit) more(all []int32, at int32) []int32 {
	if !c.picked[at] {
		c.picked[at] = true
		all = append(all, at)
	}
	return all
}
