// SPDX-License-Identifier: Apache-2.0

package zones

import (
	"cmp"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
)

// members sorts the operations of one key to the states they belong to.
type members struct {
	writer map[keylog.StateID]int
	reads  map[keylog.StateID][]int
	// heads are the states of puts, in the order of the log.
	heads []keylog.StateID
}

// members gathers the operations of the key, or those of the blocks with the
// given heads only.
func (z *Judge) members(heads []keylog.StateID) *members {
	m := &members{writer: make(map[keylog.StateID]int), reads: make(map[keylog.StateID][]int), heads: heads}
	in := func(keylog.StateID) bool { return true }
	if heads == nil {
		m.heads = append(m.heads, keylog.Initial)
	} else {
		wanted := make(map[keylog.StateID]bool)
		for _, head := range heads {
			for id := head; id != 0; id = z.slots[id].next {
				wanted[id] = true
			}
		}
		in = func(id keylog.StateID) bool { return wanted[id] }
	}
	for at := range z.key.Entries {
		e := &z.key.Entries[at]
		switch {
		case e.Kind == keylog.Read && in(e.Seen):
			m.reads[e.Seen] = append(m.reads[e.Seen], at)
		case (e.Kind == keylog.Write || e.Kind == keylog.ReadModifyWrite) && in(e.Value):
			m.writer[e.Value] = at
			if e.Kind == keylog.Write && heads == nil {
				m.heads = append(m.heads, e.Value)
			}
		}
	}
	return m
}

// Order returns an order of the operations of the key, which was found to be
// linearizable: numbers of entries.
func (z *Judge) Order() []int {
	m := z.members(nil)
	type block struct {
		head     keylog.StateID
		place    int64
		backward bool
		zone     Zone
	}
	var blocks []block
	var forward []Zone
	for _, head := range m.heads {
		s := &z.slots[head]
		if s.unknown() && s.next == 0 && !s.wasRead() {
			continue
		}
		zn, _, _ := z.walk(head)
		b := block{head: head, zone: zn, backward: !zn.Forward()}
		if !b.backward {
			forward = append(forward, zn)
		}
		blocks = append(blocks, b)
	}
	sortZones(forward)
	for i := range blocks {
		b := &blocks[i]
		b.place = b.zone.First
		if b.backward {
			b.place = b.zone.Last
			if n := seek(forward, 0, b.place); n > 0 && b.place < forward[n-1].Last {
				b.place = forward[n-1].Last
			}
		}
	}
	slices.SortStableFunc(blocks, func(a, b block) int {
		switch {
		case a.head == keylog.Initial || b.head == keylog.Initial:
			return boolCompare(b.head == keylog.Initial, a.head == keylog.Initial)
		case a.place != b.place:
			return cmp.Compare(a.place, b.place)
		}
		return boolCompare(b.backward, a.backward)
	})
	var order []int
	for _, b := range blocks {
		order = z.appendBlock(order, m, b.head)
	}
	return order
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func (z *Judge) appendBlock(order []int, m *members, head keylog.StateID) []int {
	for id := head; id != 0; id = z.slots[id].next {
		if at, ok := m.writer[id]; ok && !(id == keylog.Initial && z.slots[id].call == keylog.Beginning) {
			order = append(order, at)
		}
		reads := m.reads[id]
		slices.SortStableFunc(reads, func(a, b int) int {
			return cmp.Compare(z.key.Entries[a].Call, z.key.Entries[b].Call)
		})
		order = append(order, reads...)
	}
	return order
}
