// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"cmp"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// members sorts the operations of one key to the states they belong to.
type members struct {
	writer map[stateID]int32
	reads  map[stateID][]int32
	// heads are the states of puts, in the order of the log.
	heads []stateID
}

// members gathers the operations of a key, or those of the blocks with the
// given heads only.
func (z *zones) members(key uint32, idx []int32, heads []stateID) *members {
	m := &members{writer: make(map[stateID]int32), reads: make(map[stateID][]int32), heads: heads}
	in := func(stateID) bool { return true }
	if heads == nil {
		m.heads = append(m.heads, z.log.initial[key])
	} else {
		wanted := make(map[stateID]bool)
		for _, head := range heads {
			for id := head; id != 0; id = z.slots[id].next {
				wanted[id] = true
			}
		}
		in = func(id stateID) bool { return wanted[id] }
	}
	for _, at := range idx {
		e := &z.log.entries[at]
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

// order returns an order of the operations of a key that was found to be
// linearizable: positions in the log.
func (z *zones) order(key uint32, idx []int32) []int32 {
	m := z.members(key, idx, nil)
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
	initial := z.log.initial[key]
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
		if at, ok := m.writer[id]; ok && !(id == z.log.initial[z.log.states.refs[id].key] && z.slots[id].call == longAgo) {
			order = append(order, at)
		}
		reads := m.reads[id]
		slices.SortStableFunc(reads, func(a, b int32) int {
			return cmp.Compare(z.log.entries[a].call, z.log.entries[b].call)
		})
		order = append(order, reads...)
	}
	return order
}

// byKey gathers the positions of the operations of the wanted keys.
func (l *Log) byKey(want func(key uint32) bool) map[uint32][]int32 {
	idx := make(map[uint32][]int32)
	wanted, some := make([]bool, len(l.names)), false
	for k := range wanted {
		if wanted[k] = want(uint32(k)); wanted[k] {
			some = true
			idx[uint32(k)] = make([]int32, 0, l.said[k])
		}
	}
	if !some {
		return idx
	}
	for i := range l.entries {
		if k := l.entries[i].key; wanted[k] {
			idx[k] = append(idx[k], int32(i))
		}
	}
	return idx
}

// op tells entry i as an operation. What the entry does not hold (client,
// host, what a failed cas wanted to write) is lost.
func (l *Log) op(i int32) history.Op {
	e := &l.entries[i]
	op := history.Op{Key: l.names[e.key], Call: e.call, Return: e.ret, Outcome: history.OK}
	if e.ret == history.Never {
		op.Outcome, op.Return = history.Unknown, 0
	}
	switch e.kind {
	case read:
		op.Kind, op.Observed = history.Get, l.states.value(e.seen)
	case write:
		op.Kind, op.Value = history.Put, l.states.value(e.value)
	case rmw:
		op.Kind, op.Expected, op.Value = history.Cas, l.states.value(e.seen), l.states.value(e.value)
	case extend:
		op.Kind, op.Value = history.Append, l.states.value(e.value)
	case refute, impossible:
		op.Kind, op.Outcome, op.Refuted = history.Cas, history.Fail, e.kind == refute
		op.Expected, op.Value = l.states.value(e.seen), history.Absent
		if e.kind == impossible {
			op.Observed = op.Expected
		}
	default:
		op.Kind, op.Outcome = history.Get, history.Fail
	}
	return op
}
