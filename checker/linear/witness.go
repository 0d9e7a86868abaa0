// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"cmp"
	"slices"
)

// members sorts the operations of one key to the states they belong to.
type members struct {
	writer map[stateID]int32
	reads  map[stateID][]int32
	// heads are the states of puts, in the order of the log.
	heads []stateID
}

// members gathers the operations of the key, or those of the blocks with the
// given heads only.
func (z *zones) members(heads []stateID) *members {
	m := &members{writer: make(map[stateID]int32), reads: make(map[stateID][]int32), heads: heads}
	in := func(stateID) bool { return true }
	if heads == nil {
		m.heads = append(m.heads, initial)
	} else {
		wanted := make(map[stateID]bool)
		for _, head := range heads {
			for id := head; id != 0; id = z.slots[id].next {
				wanted[id] = true
			}
		}
		in = func(id stateID) bool { return wanted[id] }
	}
	for at := range int32(z.log.len) {
		e := z.log.entry(at)
		switch {
		case e.kind == read && in(e.seen):
			m.reads[e.seen] = append(m.reads[e.seen], at)
		case (e.kind == write || e.kind == rmw) && in(e.value):
			m.writer[e.value] = at
			if e.kind == write && heads == nil {
				m.heads = append(m.heads, e.value)
			}
		}
	}
	return m
}

// order returns an order of the operations of the key, which was found to be
// linearizable: numbers of entries.
func (z *zones) order() []int32 {
	m := z.members(nil)
	type block struct {
		head     stateID
		place    int64
		backward bool
		zone     zone
	}
	var blocks []block
	var forward []zone
	for _, head := range m.heads {
		s := &z.slots[head]
		if s.unknown() && s.next == 0 && !s.wasRead() {
			continue
		}
		zn, _, _ := z.walk(head)
		b := block{head: head, zone: zn, backward: zn.first >= zn.last}
		if !b.backward {
			forward = append(forward, zn)
		}
		blocks = append(blocks, b)
	}
	sortZones(forward)
	for i := range blocks {
		b := &blocks[i]
		b.place = b.zone.first
		if b.backward {
			b.place = b.zone.last
			if n := seek(forward, 0, b.place); n > 0 && b.place < forward[n-1].last {
				b.place = forward[n-1].last
			}
		}
	}
	slices.SortStableFunc(blocks, func(a, b block) int {
		switch {
		case a.head == initial || b.head == initial:
			return boolCompare(b.head == initial, a.head == initial)
		case a.place != b.place:
			return cmp.Compare(a.place, b.place)
		}
		return boolCompare(b.backward, a.backward)
	})
	var order []int32
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

func (z *zones) appendBlock(order []int32, m *members, head stateID) []int32 {
	for id := head; id != 0; id = z.slots[id].next {
		if at, ok := m.writer[id]; ok && !(id == initial && z.slots[id].call == longAgo) {
			order = append(order, at)
		}
		reads := m.reads[id]
		slices.SortStableFunc(reads, func(a, b int32) int {
			return cmp.Compare(z.log.entry(a).call, z.log.entry(b).call)
		})
		order = append(order, reads...)
	}
	return order
}
