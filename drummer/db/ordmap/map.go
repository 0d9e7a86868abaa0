// SPDX-License-Identifier: Apache-2.0

package ordmap

import (
	"cmp"
	"iter"
	"slices"
)

// Map maps keys to values. The zero Map is empty and ready. A Map is
// immutable and safe for concurrent use; values are shared between the
// versions of a map, so they must be immutable too.
//
// It is a weight-balanced tree (S. Adams, 'Efficient sets: a balancing act',
// 1993) with the parameters ⟨3, 2⟩ proven right by Y. Hirai and K. Yamamoto,
// 'Balancing weight-balanced trees', 2011.
type Map[K cmp.Ordered, V any] struct {
	root *node[K, V]
}

type node[K cmp.Ordered, V any] struct {
	left, right *node[K, V]
	size        int // nodes in this subtree, itself included
	key         K
	value       V
}

const (
	delta = 3 // a side may weigh at most delta times the other
	ratio = 2 // decides between a single and a double rotation
)

// FromSorted returns a map of values whose keys ascend strictly. Key is called once
// for each, in their order.
func FromSorted[K cmp.Ordered, V any](values []V, key func(V) K) Map[K, V] {
	return Map[K, V]{fromSorted(values, key)}
}

// fromSorted makes a tree whose sides differ by one node at most, everywhere.
func fromSorted[K cmp.Ordered, V any](values []V, key func(V) K) *node[K, V] {
	if len(values) == 0 {
		return nil
	}
	middle := len(values) / 2
	left := fromSorted(values[:middle], key)
	k := key(values[middle])
	return join(left, k, values[middle], fromSorted(values[middle+1:], key))
}

// Len is the number of keys.
func (m Map[K, V]) Len() int { return m.root.len() }

// Get returns the value of key, or the zero value and false.
func (m Map[K, V]) Get(key K) (V, bool) {
	for n := m.root; n != nil; {
		switch c := cmp.Compare(key, n.key); {
		case c < 0:
			n = n.left
		case c > 0:
			n = n.right
		default:
			return n.value, true
		}
	}
	var zero V
	return zero, false
}

// At returns the value of key, or the zero value.
func (m Map[K, V]) At(key K) V {
	v, _ := m.Get(key)
	return v
}

// Set returns a map in which key has value.
func (m Map[K, V]) Set(key K, value V) Map[K, V] {
	return Map[K, V]{m.root.set(key, value)}
}

// Entry is a key with its value.
type Entry[K cmp.Ordered, V any] struct {
	Key   K
	Value V
}

// SetAll returns a map in which all entries hold, whose keys ascend strictly. It is
// cheaper than to set one after the other: what they share on their way is made once.
func (m Map[K, V]) SetAll(entries []Entry[K, V]) Map[K, V] {
	return Map[K, V]{m.root.setAll(entries)}
}

// Delete returns a map without key.
func (m Map[K, V]) Delete(key K) Map[K, V] {
	if _, ok := m.Get(key); !ok {
		return m
	}
	return Map[K, V]{m.root.delete(key)}
}

// All walks the map in the order of its keys.
func (m Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { m.root.walk(yield) }
}

// After walks the keys above one, in their order.
func (m Map[K, V]) After(key K) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { m.root.walkAfter(key, yield) }
}

// Values walks the values in the order of their keys.
func (m Map[K, V]) Values() iter.Seq[V] {
	return func(yield func(V) bool) {
		m.root.walk(func(_ K, v V) bool { return yield(v) })
	}
}

func (n *node[K, V]) len() int {
	if n == nil {
		return 0
	}
	return n.size
}

func (n *node[K, V]) walk(yield func(K, V) bool) bool {
	return n == nil ||
		n.left.walk(yield) && yield(n.key, n.value) && n.right.walk(yield)
}

func (n *node[K, V]) walkAfter(key K, yield func(K, V) bool) bool {
	switch {
	case n == nil:
		return true
	case n.key <= key:
		return n.right.walkAfter(key, yield)
	default:
		return n.left.walkAfter(key, yield) && yield(n.key, n.value) && n.right.walk(yield)
	}
}

func (n *node[K, V]) set(key K, value V) *node[K, V] {
	if n == nil {
		return join(nil, key, value, nil)
	}
	switch c := cmp.Compare(key, n.key); {
	case c < 0:
		return balance(n.left.set(key, value), n.key, n.value, n.right)
	case c > 0:
		return balance(n.left, n.key, n.value, n.right.set(key, value))
	default:
		return join(n.left, key, value, n.right)
	}
}

func (n *node[K, V]) setAll(entries []Entry[K, V]) *node[K, V] {
	switch {
	case len(entries) == 0:
		return n
	case n == nil:
		middle := len(entries) / 2
		return join(n.setAll(entries[:middle]), entries[middle].Key, entries[middle].Value, n.setAll(entries[middle+1:]))
	}
	at, found := slices.BinarySearchFunc(entries, n.key, func(e Entry[K, V], key K) int { return cmp.Compare(e.Key, key) })
	value, after := n.value, at
	if found {
		value, after = entries[at].Value, at+1
	}
	return link(n.left.setAll(entries[:at]), n.key, value, n.right.setAll(entries[after:]))
}

// link joins two balanced sides of which one may be heavier by any number of nodes.
func link[K cmp.Ordered, V any](l *node[K, V], k K, v V, r *node[K, V]) *node[K, V] {
	switch {
	case tooHeavy(r, l):
		return balance(link(l, k, v, r.left), r.key, r.value, r.right)
	case tooHeavy(l, r):
		return balance(l.left, l.key, l.value, link(l.right, k, v, r))
	default:
		return join(l, k, v, r)
	}
}

// delete must only be called when key is there.
func (n *node[K, V]) delete(key K) *node[K, V] {
	switch c := cmp.Compare(key, n.key); {
	case c < 0:
		return balance(n.left.delete(key), n.key, n.value, n.right)
	case c > 0:
		return balance(n.left, n.key, n.value, n.right.delete(key))
	case n.left == nil:
		return n.right
	case n.right == nil:
		return n.left
	}
	first := n.right
	for first.left != nil {
		first = first.left
	}
	return balance(n.left, first.key, first.value, n.right.delete(first.key))
}

func join[K cmp.Ordered, V any](l *node[K, V], k K, v V, r *node[K, V]) *node[K, V] {
	return &node[K, V]{left: l, right: r, size: l.len() + r.len() + 1, key: k, value: v}
}

// balance joins two balanced sides of which one may be one node too heavy.
func balance[K cmp.Ordered, V any](l *node[K, V], k K, v V, r *node[K, V]) *node[K, V] {
	switch {
	case tooHeavy(r, l):
		return rotateLeft(l, k, v, r)
	case tooHeavy(l, r):
		return rotateRight(l, k, v, r)
	default:
		return join(l, k, v, r)
	}
}

func tooHeavy[K cmp.Ordered, V any](a, b *node[K, V]) bool {
	return a.len()+1 > delta*(b.len()+1)
}

func rotateLeft[K cmp.Ordered, V any](l *node[K, V], k K, v V, r *node[K, V]) *node[K, V] {
	if r.left.len()+1 < ratio*(r.right.len()+1) {
		return join(join(l, k, v, r.left), r.key, r.value, r.right)
	}
	m := r.left
	return join(join(l, k, v, m.left), m.key, m.value, join(m.right, r.key, r.value, r.right))
}

func rotateRight[K cmp.Ordered, V any](l *node[K, V], k K, v V, r *node[K, V]) *node[K, V] {
	if l.right.len()+1 < ratio*(l.left.len()+1) {
		return join(l.left, l.key, l.value, join(l.right, k, v, r))
	}
	m := l.right
	return join(join(l.left, l.key, l.value, m.left), m.key, m.value, join(m.right, k, v, r))
}

// Nth returns the i-th key in their order, counted from 0, and its value.
func (m Map[K, V]) Nth(i int) (key K, value V) {
	for n := m.root; n != nil; {
		switch left := n.left.len(); {
		case i < left:
			n = n.left
		case i > left:
			i -= left + 1
			n = n.right
		default:
			return n.key, n.value
		}
	}
	return key, value
}
