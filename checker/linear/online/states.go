// SPDX-License-Identifier: Apache-2.0

package online

import (
	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
	"github.com/drumbeat-raft/drumbeat/checker/linear/zones"
)

// key is what is known about a key.
type key struct {
	name    string
	number  uint32
	out     bool // deferred, or found to be illegal
	named   bool
	unnamed bool
	open    []uint32 // its operations that have not ended
	live    []uint32 // its states
	pruneAt int
	order   []uint32 // heads of blocks that have a return, by first
	forward []uint32 // heads of forward blocks, by first
}

// state is a state of a key: what is known of its writer and of its
// block. It fills one line of the processor's cache.
type state struct {
	call int64
	// after is the first return of an operation on a later state of the
	// block: whoever was called after it can't see this state.
	after int64
	// lastCall is the greatest call of the operations on this state.
	lastCall int64
	// On the head of a block: its zone, whether it is among the forward
	// blocks, and the place in order up to which its zone was compared.
	zones.Zone
	scanned          uint32
	pred, next, head uint32
	isForward, gone  bool // gone: being forgotten
	rmw, effective   bool
	visiting, open   bool
}

// content is what is known of the content of a state.
type content struct {
	id    identity
	hash  uint32
	value history.Value
	// needs tells of a write what it must have replaced; nil for nothing.
	needs *needs
}

// needs is what a write depends on.
type needs struct {
	expected history.Value // what a cas compared with
	suffix   history.Value // what an append appends
	before   string        // the name of what it replaced, where writes are named
}

// leastRoom is how many entries a list of a key has room for at first.
const leastRoom = 20

func (o *Judge) newState(k *key, id identity, hash uint32) uint32 {
	var n uint32
	if f := len(o.free); f > 0 {
		n, o.free = o.free[f-1], o.free[:f-1]
	} else {
		n = uint32(len(o.states))
		o.states = append(o.states, state{})
		o.texts = append(o.texts, content{})
	}
	o.states[n] = state{after: history.Never, lastCall: keylog.Beginning, Zone: zones.Zone{First: history.Never, Last: keylog.Beginning}}
	t := &o.texts[n]
	t.id, t.hash = id, hash
	o.table.insert(hash, n)
	k.live = append(k.live, n)
	return n
}

func (o *Judge) newNeeds() *needs {
	if n := len(o.spare); n > 0 {
		fresh := o.spare[n-1]
		o.spare = o.spare[:n-1]
		return fresh
	}
	return new(needs)
}

func (o *Judge) keyNamed(name string) *key {
	near := &o.recent[shortHash(name)]
	if k := *near; k != nil && k.name == name {
		return k
	}
	k := o.keys[name]
	if k == nil {
		k = &key{name: name, number: uint32(len(o.keys)), pruneAt: o.leastPrune}
		// Room for a quiet key's lists, in one piece.
		room := make([]uint32, 4*leastRoom)
		for i, list := range []*[]uint32{&k.open, &k.live, &k.order, &k.forward} {
			*list = room[i*leastRoom : i*leastRoom : (i+1)*leastRoom]
		}
		o.keys[name] = k
		id := idOf(k.number, history.Absent)
		n := o.newState(k, id, o.table.hash(id))
		s := &o.states[n]
		s.call, s.effective, s.head, s.First = keylog.Beginning, true, n, keylog.Beginning
		o.texts[n].value = history.Absent
		k.order = append(k.order, n)
	}
	*near = k
	return k
}

// shortHash tells names apart that differ in their last two letters.
func shortHash(name string) uint8 {
	h := uint8(len(name))
	if n := len(name); n >= 2 {
		h += 31*name[n-2] + name[n-1]
	}
	return h
}

// deferKey gives a key up, and forgets it.
func (o *Judge) deferKey(k *key) {
	if !k.out {
		o.deferred = append(o.deferred, k.name)
	}
	o.drop(k)
}

func (o *Judge) drop(k *key) {
	k.out = true
	for _, n := range k.live {
		o.forget(n)
	}
	k.live, k.order, k.forward = nil, nil, nil
}

func (o *Judge) forget(n uint32) {
	t := &o.texts[n]
	o.table.remove(t.hash, n)
	if t.needs != nil {
		*t.needs = needs{}
		o.spare = append(o.spare, t.needs)
	}
	*t = content{}
	o.free = append(o.free, n)
}
