// SPDX-License-Identifier: Apache-2.0

package online

import (
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/explain"
)

// grow brings an operation on state n into its block, and compares the block
// with the others. ret is history.Never for a writer that has not returned.
func (o *Judge) grow(k *key, n uint32, call, ret int64) string {
	s := &o.states[n]
	s.lastCall = max(s.lastCall, call)
	if call > s.after {
		return fmt.Sprintf("%s had been replaced before it was called", o.texts[n].value)
	}
	if ret != history.Never {
		for p := s.pred; p != 0 && o.states[p].after == history.Never; p = o.states[p].pred {
			o.states[p].after = ret
		}
	}
	b := &o.states[s.head]
	if ret < b.First && b.First == history.Never {
		b.First = ret
		o.enter(k, s.head)
	}
	b.Last = max(b.Last, call)
	return o.compare(k, s.head)
}

// enter puts a block that has its first return now into the order.
func (o *Judge) enter(k *key, head uint32) {
	k.order = append(k.order, head)
	for i := len(k.order) - 1; i > 0 && o.states[k.order[i-1]].First > o.states[head].First; i-- {
		k.order[i], k.order[i-1] = k.order[i-1], k.order[i]
		if i == 1 || o.states[k.order[i-2]].First <= o.states[head].First {
			o.rescan(k)
		}
	}
}

// compare compares the block with the others after its zone grew.
func (o *Judge) compare(k *key, head uint32) string {
	b := &o.states[head]
	if b.First == history.Never {
		return ""
	}
	if b.Forward() {
		return o.growForward(k, head, b)
	}
	i := o.before(k.forward, b.Last)
	if i > 0 {
		h := k.forward[i-1]
		if o.states[h].Clashes(b.Zone) && h != head {
			return o.clash(h)
		}
	}
	return ""
}

func (o *Judge) clash(head uint32) string {
	a := &o.states[head]
	return fmt.Sprintf("%s was there both before and after, at %s and at %s", o.texts[head].value, explain.FormatTime(a.First), explain.FormatTime(a.Last))
}

// before returns how many of the blocks begin before t.
func (o *Judge) before(blocks []uint32, t int64) int {
	n := len(blocks)
	for back := 0; n > 0 && o.states[blocks[n-1]].First >= t; back++ {
		if back == 8 {
			i, _ := slices.BinarySearchFunc(blocks[:n], t, func(h uint32, t int64) int {
				if o.states[h].First < t {
					return -1
				}
				return 1
			})
			return i
		}
		n--
	}
	return n
}

// growForward compares a block with first < last with its neighbours.
func (o *Judge) growForward(k *key, head uint32, b *state) string {
	if !b.isForward {
		b.isForward = true
		i := o.before(k.forward, b.First)
		for i < len(k.forward) && o.states[k.forward[i]].First == b.First {
			i++
		}
		if i > 0 {
			if h := k.forward[i-1]; o.states[h].Clashes(b.Zone) {
				return o.clash(h)
			}
		}
		k.forward = slices.Insert(k.forward, i, head)
		b.scanned = uint32(o.before(k.order, b.First))
	}
	for ; int(b.scanned) < len(k.order); b.scanned++ {
		h := k.order[b.scanned]
		a := &o.states[h]
		if a.First >= b.Last {
			break
		}
		if h != head && a.Clashes(b.Zone) {
			return o.clash(h)
		}
	}
	return ""
}

// rescan lets forward blocks compare their zones again.
func (o *Judge) rescan(k *key) {
	for _, h := range k.forward {
		o.states[h].scanned = uint32(o.before(k.order, o.states[h].First))
	}
}
