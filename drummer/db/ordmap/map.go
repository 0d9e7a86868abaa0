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
// It is a B+ tree: wide, so that a lookup among a million keys touches few cache
// lines, and a map of numbers has few pointers for the garbage collector to follow.
type Map[K cmp.Ordered, V any] struct {
	root *node[K, V]
}

// node is a leaf, or has children. No node is empty; all leaves are equally deep. A
// node that is part of a Map is never changed.
type node[K cmp.Ordered, V any] struct {
	size int // keys in the leaves of this subtree
	// keys are those of a leaf, or else the first one of each child. They ascend
	// strictly.
	keys     []K
	values   []V           // of a leaf, one a key
	children []*node[K, V] // of any other node, one a key
}

const (
	// width is how many keys a node has at most.
	width = 32
	// narrow is how many keys every node but the root has at least.
	narrow = width / 4
)

// FromSorted returns a map of values whose keys ascend strictly. Key is called once
// for each, in their order.
func FromSorted[K cmp.Ordered, V any](values []V, key func(V) K) Map[K, V] {
	keys := make([]K, len(values))
	for i, v := range values {
		keys[i] = key(v)
	}
	return Map[K, V]{grow(leaves(keys, values))}
}

// grow puts parents upon nodes of one depth until there is one root; nil: there is no
// node.
func grow[K cmp.Ordered, V any](nodes []*node[K, V]) *node[K, V] {
	for len(nodes) > 1 {
		nodes = parents(nodes)
	}
	if len(nodes) == 0 {
		return nil
	}
	return nodes[0]
}

// leaves makes as few leaves as hold the keys, which are copied.
func leaves[K cmp.Ordered, V any](keys []K, values []V) []*node[K, V] {
	var made []*node[K, V]
	for from, to := range pieces(len(keys)) {
		made = append(made, &node[K, V]{size: to - from, keys: slices.Clone(keys[from:to]), values: slices.Clone(values[from:to])})
	}
	return made
}

// parents makes as few nodes as hold the children.
func parents[K cmp.Ordered, V any](children []*node[K, V]) []*node[K, V] {
	var made []*node[K, V]
	for from, to := range pieces(len(children)) {
		n := &node[K, V]{keys: make([]K, to-from), children: slices.Clone(children[from:to])}
		for i, child := range n.children {
			n.keys[i] = child.keys[0]
			n.size += child.size
		}
		made = append(made, n)
	}
	return made
}

// pieces cuts a number of keys into as few nodes as hold them, of about equal widths.
func pieces(keys int) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		nodes := (keys + width - 1) / width
		for i := range nodes {
			if !yield(keys*i/nodes, keys*(i+1)/nodes) {
				return
			}
		}
	}
}

// Len is the number of keys.
func (m Map[K, V]) Len() int {
	if m.root == nil {
		return 0
	}
	return m.root.size
}

// Same reports whether two maps are one version: both have the same keys and values
// then. Equal maps that were made apart are not the same.
func (m Map[K, V]) Same(o Map[K, V]) bool { return m.root == o.root }

// Get returns the value of key, or the zero value and false.
func (m Map[K, V]) Get(key K) (V, bool) {
	if n := m.root; n != nil {
		for n.children != nil {
			n = n.children[max(n.after(key)-1, 0)]
		}
		if i := n.after(key) - 1; i >= 0 && n.keys[i] == key {
			return n.values[i], true
		}
	}
	var zero V
	return zero, false
}

// after is the index of the first of a node's keys that is above one.
func (n *node[K, V]) after(key K) int {
	from, to := 0, len(n.keys)
	for from < to {
		if middle := int(uint(from+to) / 2); key < n.keys[middle] {
			to = middle
		} else {
			from = middle + 1
		}
	}
	return from
}

// At returns the value of key, or the zero value.
func (m Map[K, V]) At(key K) V {
	v, _ := m.Get(key)
	return v
}

// Entry is a key with its value.
type Entry[K cmp.Ordered, V any] struct {
	Key   K
	Value V
}

// Set returns a map in which key has value.
func (m Map[K, V]) Set(key K, value V) Map[K, V] {
	return m.SetAll([]Entry[K, V]{{key, value}})
}

// SetAll returns a map in which all entries hold, whose keys ascend strictly. It is
// cheaper than to set one after the other: what they share on their way is made once.
func (m Map[K, V]) SetAll(entries []Entry[K, V]) Map[K, V] {
	switch {
	case len(entries) == 0:
		return m
	case m.root == nil:
		return Map[K, V]{grow((&node[K, V]{}).merge(entries))}
	default:
		return Map[K, V]{grow(m.root.setAll(entries))}
	}
}

// setAll returns the nodes, of the same depth, that take a node's place.
func (n *node[K, V]) setAll(entries []Entry[K, V]) []*node[K, V] {
	if n.children == nil {
		return n.merge(entries)
	}
	children, size, split := make([]*node[K, V], 0, len(n.children)+1), n.size, false
	for i, child := range n.children {
		mine := len(entries)
		if i+1 < len(n.keys) {
			mine = firstAtLeast(entries, n.keys[i+1])
		}
		if mine == 0 {
			children = append(children, child)
			continue
		}
		made := child.setAll(entries[:mine])
		children, entries = append(children, made...), entries[mine:]
		size += made[0].size - child.size
		split = split || len(made) > 1
	}
	if split || children[0].keys[0] != n.keys[0] {
		return parents(children)
	}
	return []*node[K, V]{{size: size, keys: n.keys, children: children}} // the others were not touched
}

// firstAtLeast is the index of the first entry whose key is not below one.
func firstAtLeast[K cmp.Ordered, V any](entries []Entry[K, V], key K) int {
	from, to := 0, len(entries)
	for from < to {
		if middle := int(uint(from+to) / 2); entries[middle].Key < key {
			from = middle + 1
		} else {
			to = middle
		}
	}
	return from
}

// merge returns the leaves that take a leaf's place.
func (n *node[K, V]) merge(entries []Entry[K, V]) []*node[K, V] {
	if leaf := n.replace(entries); leaf != nil {
		return []*node[K, V]{leaf}
	}
	keys, values := make([]K, 0, len(n.keys)+len(entries)), make([]V, 0, len(n.keys)+len(entries))
	old := 0
	for _, e := range entries {
		upTo := old + (&node[K, V]{keys: n.keys[old:]}).after(e.Key)
		keys, values = append(keys, n.keys[old:upTo]...), append(values, n.values[old:upTo]...)
		old = upTo
		if last := len(keys) - 1; last >= 0 && keys[last] == e.Key {
			values[last] = e.Value
		} else {
			keys, values = append(keys, e.Key), append(values, e.Value)
		}
	}
	keys, values = append(keys, n.keys[old:]...), append(values, n.values[old:]...)
	if len(keys) <= width {
		return []*node[K, V]{{size: len(keys), keys: keys, values: values}}
	}
	return leaves(keys, values)
}

// replace is merge where a leaf has all the keys already; nil: it has not.
func (n *node[K, V]) replace(entries []Entry[K, V]) *node[K, V] {
	var values []V
	for _, e := range entries {
		i := n.after(e.Key) - 1
		if i < 0 || n.keys[i] != e.Key {
			return nil
		}
		if values == nil {
			values = slices.Clone(n.values)
		}
		values[i] = e.Value
	}
	return &node[K, V]{size: n.size, keys: n.keys, values: values}
}

// Delete returns a map without key.
func (m Map[K, V]) Delete(key K) Map[K, V] {
	if _, ok := m.Get(key); !ok {
		return m
	}
	root := m.root.delete(key)
	for root != nil && len(root.children) == 1 {
		root = root.children[0]
	}
	return Map[K, V]{root}
}

// delete returns a node without a key that it has, which may be too narrow then; nil:
// nothing is left of it.
func (n *node[K, V]) delete(key K) *node[K, V] {
	i := max(n.after(key)-1, 0)
	if n.children == nil {
		if n.size == 1 {
			return nil
		}
		return &node[K, V]{size: n.size - 1, keys: without(n.keys, i), values: without(n.values, i)}
	}
	children := slices.Clone(n.children)
	if child := children[i].delete(key); child == nil {
		children = slices.Delete(children, i, i+1)
	} else {
		children[i] = child
		if len(child.keys) < narrow && len(children) > 1 {
			left := max(i-1, 0)
			children = slices.Replace(children, left, left+2, joined(children[left], children[left+1])...)
		}
	}
	if len(children) == 0 {
		return nil
	}
	return parents(children)[0] // they are no more than before
}

func without[T any](list []T, i int) []T {
	return append(append(make([]T, 0, len(list)-1), list[:i]...), list[i+1:]...)
}

// joined makes one node of two neighbours, or two of about equal widths.
func joined[K cmp.Ordered, V any](l, r *node[K, V]) []*node[K, V] {
	if l.children == nil {
		return leaves(slices.Concat(l.keys, r.keys), slices.Concat(l.values, r.values))
	}
	return parents(slices.Concat(l.children, r.children))
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

func (n *node[K, V]) walk(yield func(K, V) bool) bool {
	if n == nil {
		return true
	}
	for _, child := range n.children {
		if !child.walk(yield) {
			return false
		}
	}
	for i, v := range n.values {
		if !yield(n.keys[i], v) {
			return false
		}
	}
	return true
}

func (n *node[K, V]) walkAfter(key K, yield func(K, V) bool) bool {
	if n == nil {
		return true
	}
	first := n.after(key)
	if n.children == nil {
		for i, v := range n.values[first:] {
			if !yield(n.keys[first+i], v) {
				return false
			}
		}
		return true
	}
	if first > 0 && !n.children[first-1].walkAfter(key, yield) {
		return false
	}
	for _, child := range n.children[first:] {
		if !child.walk(yield) {
			return false
		}
	}
	return true
}

// Nth returns the i-th key in their order, counted from 0, and its value.
func (m Map[K, V]) Nth(i int) (key K, value V) {
	n := m.root
	if n == nil || i < 0 || i >= n.size {
		return key, value
	}
	for n.children != nil {
		at := 0
		for ; i >= n.children[at].size; at++ {
			i -= n.children[at].size
		}
		n = n.children[at]
	}
	return n.keys[i], n.values[i]
}
