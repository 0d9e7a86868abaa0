// SPDX-License-Identifier: Apache-2.0

package simdisk

import "math/rand/v2"

// pageSize is the unit in which an overwrite reaches the medium or not.
const pageSize = 4 << 10

// tear decides what survives of what was not synced. The zero value keeps
// nothing of it.
type tear struct {
	rng     *rand.Rand // nil: nothing
	entries bool       // directory entries as they are now
}

// newTear draws from rng, which may be nil, whether the journal of directory
// entries had been written back by itself before the power went.
func newTear(rng *rand.Rand) *tear {
	t := &tear{rng: rng}
	if rng != nil {
		t.entries = rng.IntN(2) == 0
	}
	return t
}

// content returns what survives of a file: all that was synced, and if rng is
// set any of the overwritten pages and any part of the tail.
func (t *tear) content(f *file) content {
	c := f.durable()
	if t.rng == nil || !f.dirty() {
		return c
	}
	switch {
	case f.emptied: // and perhaps written again: one or the other
		if t.rng.IntN(2) == 0 {
			return c
		}
		c = newContent()
	case f.base != nil: // so much was overwritten that nobody knows where
		t.keepPages(&c, f, 0, c.size)
	}
	for _, e := range f.undo {
		t.keepPages(&c, f, e.off, e.off+int64(len(e.data)))
	}
	t.keepTail(&c, f)
	return c
}

// keepPages puts a random half of the pages that were overwritten, from an offset to
// another one, into c.
func (t *tear) keepPages(c *content, f *file, off, end int64) {
	for off < end {
		next := min(end, (off/pageSize+1)*pageSize)
		if t.rng.IntN(2) == 0 {
			page := make([]byte, next-off)
			f.now.readAt(page, off)
			c.write(page, off)
		}
		off = next
	}
}

// keepTail appends a random part of what f has beyond c.
func (t *tear) keepTail(c *content, f *file) {
	tail := f.now.size - c.size
	if tail <= 0 {
		return
	}
	part := make([]byte, t.rng.Int64N(tail+1))
	f.now.readAt(part, c.size)
	c.write(part, c.size)
}
