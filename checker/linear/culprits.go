// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"cmp"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// culprits returns the entries of a few operations that make the key illegal,
// which was found to be bad: those that clash, and what they rest on. It takes
// time linear in the operations of the key.
func (z *zones) culprits() []int32 {
	for at := range int32(z.log.len) {
		switch e := z.log.entry(at); e.kind {
		case impossible:
			return []int32{at}
		case read:
			if z.slots[e.seen].pred == 0 {
				return []int32{at} // nobody wrote it
			}
		}
	}
	if heads := z.suspectBlocks(); len(heads) > 0 {
		c := &culprit{zones: z, members: z.members(heads), picked: make(map[int32]bool)}
		if c.within() || c.between() {
			return c.closure()
		}
	}
	c := &culprit{zones: z, members: z.members(nil), picked: make(map[int32]bool)}
	if c.chains() {
		return c.closure()
	}
	all := make([]int32, z.log.len)
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// suspectBlocks returns the head of a block that is illegal within, or the
// heads of two that clash.
func (z *zones) suspectBlocks() []stateID {
	heads := append(make([]stateID, 0, 64), initial)
	for at := range int32(z.log.len) {
		if e := z.log.entry(at); e.kind == write && z.slots[e.value].pred == isPut && e.value != heads[0] {
			heads = append(heads, e.value)
		}
	}
	blocks := make([]headed, 0, len(heads))
	for _, head := range heads {
		s := &z.slots[head]
		if s.unknown() && s.next == 0 && !s.wasRead() {
			continue
		}
		b, _, ok := z.walk(head)
		if !ok {
			return []stateID{head}
		}
		blocks = append(blocks, headed{b, head})
	}
	return clashing(blocks)
}

// headed is a block's zone with the block's head.
type headed struct {
	zone
	head stateID
}

// clashing finds a clash as clash does, and returns the heads.
func clashing(blocks []headed) []stateID {
	var forward, backward []headed
	for _, b := range blocks {
		if b.first < b.last {
			forward = append(forward, b)
		} else {
			backward = append(backward, b)
		}
	}
	slices.SortFunc(forward, func(a, b headed) int { return cmp.Compare(a.first, b.first) })
	for i := 1; i < len(forward); i++ {
		if forward[i].first < forward[i-1].last {
			return []stateID{forward[i-1].head, forward[i].head}
		}
	}
	for _, b := range backward {
		n, _ := slices.BinarySearchFunc(forward, b.last, func(f headed, t int64) int { return cmp.Compare(f.first, t) })
		if n > 0 && b.first < forward[n-1].last {
			return []stateID{forward[n-1].head, b.head}
		}
	}
	return nil
}

type culprit struct {
	*zones
	*members
	picked map[int32]bool
}

// effective says whether the writer at a position took effect for certain.
func (c *culprit) effective(at int32) bool {
	e := c.log.entry(at)
	if e.ret != history.Never {
		return true
	}
	s := &c.slots[e.value]
	return s.wasRead() || s.next != 0
}

// chains looks for a cas that consumed what nobody wrote, for two that
// consumed the same, and for a circle.
func (c *culprit) chains() bool {
	consumer := make(map[stateID]int32)
	for at := range int32(c.log.len) {
		e := c.log.entry(at)
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
	return c.circle()
}

// circle looks for effective cas from which going back never ends at a put.
func (c *culprit) circle() bool {
	const ends, open = 1, 2
	mark := make(map[stateID]int)
	for start := range int32(c.log.len) {
		if c.log.entry(start).kind != rmw || !c.effective(start) {
			continue
		}
		var path []stateID
		id := c.log.entry(start).value
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
		e := c.log.entry(at)
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
				if c.log.entry(at).ret < m.time {
					c.pick(m.at, at)
					return true
				}
			}
			for _, at := range c.reads[id] {
				if e := c.log.entry(at); e.call > m.time {
					m = extreme{at, e.call}
				}
			}
		}
	}
	return false
}

// between picks the operations that bound the two blocks that clash.
func (c *culprit) between() bool {
	for _, head := range c.heads {
		zone := zone{history.Never, longAgo}
		firstAt, lastAt := int32(-1), int32(-1)
		for id := head; id != 0; id = c.slots[id].next {
			first, last := c.bounds(id)
			if first.time < zone.first {
				zone.first, firstAt = first.time, first.at
			}
			if last.time > zone.last {
				zone.last, lastAt = last.time, last.at
			}
		}
		c.pick(firstAt, lastAt)
	}
	return len(c.heads) == 2
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
	all := slices.Sorted(maps.Keys(c.picked))
	for i := 0; i < len(all); i++ {
		e := c.log.entry(all[i])
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
	slices.Sort(all)
	return all
}

func (c *culprit) more(all []int32, at int32) []int32 {
	if !c.picked[at] {
		c.picked[at] = true
		all = append(all, at)
	}
	return all
}
