// SPDX-License-Identifier: Apache-2.0

package ordmap

import (
	"cmp"
	"iter"
)

// Changed walks, in their order, the keys that two versions of a map do not both have
// with the same value. It costs about as much as there are differences, times the
// depth of the trees, for it passes over what the versions share.
func Changed[K cmp.Ordered, V comparable](a, b Map[K, V]) iter.Seq[K] {
	return func(yield func(K) bool) {
		before, after := newCursor(a.root), newCursor(b.root)
		for {
			x, y := before.top(), after.top()
			switch {
			case x.n == nil && y.n == nil:
				return
			case x == y:
				before.pop()
				after.pop()
			case x.whole && (!y.whole || x.n.size >= y.n.size):
				before.open()
			case y.whole:
				after.open()
			case y.n == nil || x.n != nil && x.n.key < y.n.key:
				before.pop()
				if !yield(x.n.key) {
					return
				}
			case x.n == nil || y.n.key < x.n.key:
				after.pop()
				if !yield(y.n.key) {
					return
				}
			default:
				before.pop()
				after.pop()
				if x.n.value != y.n.value && !yield(x.n.key) {
					return
				}
			}
		}
	}
}

// cursor is what of a tree is still to be walked, the next part at the end.
type cursor[K cmp.Ordered, V any] []part[K, V]

// part is a subtree or, unless it is whole, the one key at its root.
type part[K cmp.Ordered, V any] struct {
	n     *node[K, V]
	whole bool
}

func newCursor[K cmp.Ordered, V any](root *node[K, V]) *cursor[K, V] {
	c := &cursor[K, V]{}
	c.push(root)
	return c
}

func (c *cursor[K, V]) push(n *node[K, V]) {
	if n != nil {
		*c = append(*c, part[K, V]{n, true})
	}
}

// top is the next part; one without a node: there is none.
func (c *cursor[K, V]) top() part[K, V] {
	if len(*c) == 0 {
		return part[K, V]{}
	}
	return (*c)[len(*c)-1]
}

func (c *cursor[K, V]) pop() { *c = (*c)[:len(*c)-1] }

// open replaces the next part, a subtree, by what it consists of.
func (c *cursor[K, V]) open() {
	n := c.top().n
	c.pop()
	c.push(n.right)
	*c = append(*c, part[K, V]{n, false})
	c.push(n.left)
}
