// SPDX-License-Identifier: Apache-2.0

package zones

import (
	"cmp"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
)

// Conflict returns the entries of a few operations that make a key illegal
// that was judged so: those that clash, and what they rest on. It takes time
// linear in the operations of the key.
func (z *Judge) Conflict() []int { return z.conflict((*conflict).closure) }

// Clash returns those that clash without what they rest on. initial says that
// the state before the first write is one of them.
func (z *Judge) Clash() (entries []int, initial bool) {
	entries = z.conflict(func(c *conflict) []int {
		initial = c.initial
		return slices.Sorted(maps.Keys(c.picked))
	})
	return entries, initial
}

// conflict picks the operations that clash, and returns what finish makes of
// them.
func (z *Judge) conflict(finish func(*conflict) []int) []int {
	for at := range z.key.Entries {
		switch e := &z.key.Entries[at]; e.Kind {
		case keylog.Contradiction:
			return []int{at}
		case keylog.Read:
			if z.slots[e.Seen].pred == 0 {
				return []int{at} // no operation wrote it
			}
		}
	}
	if heads := z.clashingBlocks(); len(heads) > 0 {
		c := &conflict{Judge: z, members: z.members(heads), picked: make(map[int]bool)}
		if c.within() || c.between() {
			return finish(c)
		}
	}
	c := &conflict{Judge: z, members: z.members(nil), picked: make(map[int]bool)}
	if c.chains() {
		return finish(c)
	}
	all := make([]int, len(z.key.Entries))
	for i := range all {
		all[i] = i
	}
	return all
}

// clashingBlocks returns the head of a block that is illegal within, or the
// heads of two that clash.
func (z *Judge) clashingBlocks() []keylog.StateID {
	heads := append(make([]keylog.StateID, 0, 64), keylog.Initial)
	for at := range z.key.Entries {
		if e := &z.key.Entries[at]; e.Kind == keylog.Write && z.slots[e.Value].pred == isPut && e.Value != heads[0] {
			heads = append(heads, e.Value)
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
			return []keylog.StateID{head}
		}
		blocks = append(blocks, headed{b, head})
	}
	return clashing(blocks)
}

// headed is a block's zone with the block's head.
type headed struct {
	Zone
	head keylog.StateID
}

// clashing finds a clash as clash does, and returns the heads.
func clashing(blocks []headed) []keylog.StateID {
	var forward, backward []headed
	for _, b := range blocks {
		if b.Forward() {
			forward = append(forward, b)
		} else {
			backward = append(backward, b)
		}
	}
	slices.SortFunc(forward, func(a, b headed) int { return cmp.Compare(a.First, b.First) })
	for i := 1; i < len(forward); i++ {
		if forward[i].First < forward[i-1].Last {
			return []keylog.StateID{forward[i-1].head, forward[i].head}
		}
	}
	for _, b := range backward {
		n, _ := slices.BinarySearchFunc(forward, b.Last, func(f headed, t int64) int { return cmp.Compare(f.First, t) })
		if n > 0 && b.First < forward[n-1].Last {
			return []keylog.StateID{forward[n-1].head, b.head}
		}
	}
	return nil
}

// conflict picks the operations of a conflict.
type conflict struct {
	*Judge
	*members
	picked  map[int]bool
	initial bool // the state before the first write is picked, too
}

// effective reports whether the writer at a position took effect for certain.
func (c *conflict) effective(at int) bool {
	e := &c.key.Entries[at]
	if e.Ret != history.Never {
		return true
	}
	s := &c.slots[e.Value]
	return s.wasRead() || s.next != 0
}

// chains looks for a cas that consumed what no operation wrote, for two that
// consumed the same, and for a circle.
func (c *conflict) chains() bool {
	consumer := make(map[keylog.StateID]int)
	for at := range c.key.Entries {
		e := &c.key.Entries[at]
		if e.Kind != keylog.ReadModifyWrite || !c.effective(at) {
			continue
		}
		other, twice := consumer[e.Seen]
		if twice || c.slots[e.Seen].pred == 0 {
			c.picked[at] = true
			if twice {
				c.picked[other] = true
			}
			return true
		}
		consumer[e.Seen] = at
	}
	return c.circle()
}

// circle looks for effective cas from which going back never ends at a put.
func (c *conflict) circle() bool {
	const ends, open = 1, 2
	mark := make(map[keylog.StateID]int)
	for start := range c.key.Entries {
		if c.key.Entries[start].Kind != keylog.ReadModifyWrite || !c.effective(start) {
			continue
		}
		var path []keylog.StateID
		id := c.key.Entries[start].Value
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
	at   int // -1 is the beginning of time
	time int64
}

// bounds returns the operation on a state that returns first and the one that
// is called last.
func (c *conflict) bounds(id keylog.StateID) (first, last extreme) {
	first, last = extreme{-1, history.Never}, extreme{-1, keylog.Beginning}
	note := func(at int) {
		e := &c.key.Entries[at]
		if e.Ret < first.time || first.at < 0 && e.Ret == first.time {
			first = extreme{at, e.Ret}
		}
		if e.Call > last.time {
			last = extreme{at, e.Call}
		}
	}
	if at, ok := c.writer[id]; ok && c.slots[id].call != keylog.Beginning {
		note(at)
	} else {
		first = extreme{-1, keylog.Beginning}
	}
	for _, at := range c.reads[id] {
		note(at)
	}
	return first, last
}

// within looks for a block in which an operation returned before one that has
// to come earlier was called.
func (c *conflict) within() bool {
	for _, head := range c.heads {
		m := extreme{-1, keylog.Beginning}
		for id := head; id != 0; id = c.slots[id].next {
			s := &c.slots[id]
			w, hasWriter := c.writer[id]
			hasWriter = hasWriter && s.call != keylog.Beginning
			if hasWriter && s.ret < m.time {
				c.pick(m.at, w)
				return true
			}
			if hasWriter && s.call > m.time {
				m = extreme{w, s.call}
			}
			for _, at := range c.reads[id] {
				if c.key.Entries[at].Ret < m.time {
					c.pick(m.at, at)
					return true
				}
			}
			for _, at := range c.reads[id] {
				if e := &c.key.Entries[at]; e.Call > m.time {
					m = extreme{at, e.Call}
				}
			}
		}
	}
	return false
}

// between picks the operations that bound the two blocks that clash.
func (c *conflict) between() bool {
	for _, head := range c.heads {
		zone := Zone{history.Never, keylog.Beginning}
		firstAt, lastAt := int(-1), int(-1)
		for id := head; id != 0; id = c.slots[id].next {
			first, last := c.bounds(id)
			if first.time < zone.First {
				zone.First, firstAt = first.time, first.at
			}
			if last.time > zone.Last {
				zone.Last, lastAt = last.time, last.at
			}
		}
		c.pick(firstAt, lastAt)
	}
	return len(c.heads) == 2
}

func (c *conflict) pick(at ...int) {
	for _, i := range at {
		if i >= 0 {
			c.picked[i] = true
		} else {
			c.initial = true
		}
	}
}

// closure adds to what was picked the writes that it rests on, and for writes
// of unknown outcome an operation that saw them.
func (c *conflict) closure() []int {
	all := slices.Sorted(maps.Keys(c.picked))
	for i := 0; i < len(all); i++ {
		e := &c.key.Entries[all[i]]
		if w, ok := c.writer[e.Seen]; ok && (e.Kind == keylog.Read || e.Kind == keylog.ReadModifyWrite) {
			all = c.more(all, w)
		}
		if e.Ret == history.Never {
			if reads := c.reads[e.Value]; len(reads) > 0 {
				all = c.more(all, reads[0])
			} else if next := c.slots[e.Value].next; next != 0 {
				all = c.more(all, c.writer[next])
			}
		}
	}
	slices.Sort(all)
	return all
}

func (c *conflict) more(all []int, at int) []int {
	if !c.picked[at] {
		c.picked[at] = true
		all = append(all, at)
	}
	return all
}
