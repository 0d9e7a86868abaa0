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
			case x == y: // that may be a subtree
				before.pop()
				after.pop()
			case x.precedes(y):
				before.pop()
				if !yield(x.key()) {
					return
				}
			case y.precedes(x):
				after.pop()
				if !yield(y.key()) {
					return
				}
			case x.whole && (!y.whole || x.n.size >= y.n.size):
				before.open()
			case y.whole:
				after.open()
			default:
				before.pop()
				after.pop()
				if x.n.values[x.i] != y.n.values[y.i] && !yield(x.key()) {
					return
				}
			}
		}
	}
}

// cursor is what of a tree is still to be walked, the next part at the end.
type cursor[K cmp.Ordered, V any] []part[K, V]

// part is a subtree or, unless it is whole, one key of a leaf.
type part[K cmp.Ordered, V any] struct {
	n     *node[K, V]
	whole bool
	i     int // of the key in the leaf
}

// key is the first key of a part.
func (p part[K, V]) key() K { return p.n.keys[p.i] }

// precedes reports whether a part is one key, and before all of another part.
func (p part[K, V]) precedes(o part[K, V]) bool {
	return p.n != nil && !p.whole && (o.n == nil || p.key() < o.key())
}

func newCursor[K cmp.Ordered, V any](root *node[K, V]) *cursor[K, V] {
	c := &cursor[K, V]{}
	if root != nil {
		*c = append(*c, part[K, V]{n: root, whole: true})
	}
	return c
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
	for i := len(n.keys) - 1; i >= 0; i-- {
		if n.children == nil {
			*c = append(*c, part[K, V]{n: n, i: i})
		} else {
			*c = append(*c, part[K, V]{n: n.children[i], whole: true})
		}
	}
}
