// SPDX-License-Identifier: Apache-2.0

package online

import (
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
)

// join appends the block that begins with state n to the block of the state
// that its writer replaced: the writer was seen before it was known what it
// replaced.
func (o *Judge) join(k *key, n uint32) string {
	s := &o.states[n]
	if s.pred != 0 {
		return ""
	}
	p, wrong := o.replaced(k, n)
	if wrong != "" {
		return wrong
	}
	if o.states[p].head == n {
		return "writes replaced each other in a circle"
	}
	if wrong := o.replace(n, p); wrong != "" {
		return wrong
	}
	head := o.states[p].head
	first, last := s.First, s.Last
	o.leave(k, n)
	for at := n; at != 0; at = o.states[at].next {
		o.states[at].head = head
	}
	for at := p; at != 0 && o.states[at].after > first; at = o.states[at].pred {
		before := &o.states[at]
		if before.after = first; before.lastCall > first {
			return fmt.Sprintf("%s was there after it had been replaced", o.texts[at].value)
		}
	}
	return o.widen(k, head, first, last)
}

// leave takes a block out of the lists of its key.
func (o *Judge) leave(k *key, head uint32) {
	is := func(h uint32) bool { return h == head }
	k.order, k.forward = slices.DeleteFunc(k.order, is), slices.DeleteFunc(k.forward, is)
	s := &o.states[head]
	s.First, s.Last, s.isForward = history.Never, keylog.Beginning, false
	o.rescan(k)
}

// widen adds a zone to that of a block.
func (o *Judge) widen(k *key, head uint32, first, last int64) string {
	b := &o.states[head]
	first, last = min(first, b.First), max(last, b.Last)
	o.leave(k, head)
	b.First, b.Last = first, last
	if first != history.Never {
		o.enter(k, head)
	}
	return o.compare(k, head)
}
