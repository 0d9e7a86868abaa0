// SPDX-License-Identifier: Apache-2.0

package simdisk

import "slices"

// blockSize is how much is copied when a shared block is written to.
const blockSize = 32 << 10

// content is a sequence of bytes in blocks. All blocks but the last are
// blockSize long; the last one is as long as it needs to be.
//
// A block may be written in place only by the content whose owner it bears;
// share gives both sides new owners, so that each copies a block before it
// first writes to it.
type content struct {
	blocks []block
	size   int64
	owner  *owner
}

type block struct {
	data  []byte
	owner *owner
}

// owner is compared by address only; it has a size, because pointers to
// values without one may be equal.
type owner struct{ _ byte }

func newContent() content { return content{owner: new(owner)} }

// share returns a copy that has the same bytes and none of the blocks for
// itself; c has none for itself either from now on.
func (c *content) share() content {
	c.owner = new(owner)
	return content{blocks: slices.Clone(c.blocks), size: c.size, owner: new(owner)}
}

// readAt copies from off on and returns how much it copied.
func (c *content) readAt(p []byte, off int64) int {
	if off >= c.size {
		return 0
	}
	p = p[:min(int64(len(p)), c.size-off)]
	for n := 0; n < len(p); {
		at := off + int64(n)
		n += copy(p[n:], c.blocks[at/blockSize].data[at%blockSize:])
	}
	return len(p)
}

// writeAt writes p at off. A gap between the end and off becomes zeros.
func (c *content) writeAt(p []byte, off int64) {
	for c.size < off {
		gap := min(off-c.size, blockSize)
		c.write(make([]byte, gap), c.size)
	}
	c.write(p, off)
}

// write writes p at off <= c.size.
func (c *content) write(p []byte, off int64) {
	for len(p) > 0 {
		n := min(len(p), int(blockSize-off%blockSize))
		c.writeBlock(int(off/blockSize), p[:n], int(off%blockSize))
		p, off = p[n:], off+int64(n)
		c.size = max(c.size, off)
	}
}

// writeBlock writes p at off of one block, which is the next new one at most.
func (c *content) writeBlock(i int, p []byte, off int) {
	if i == len(c.blocks) {
		c.blocks = append(c.blocks, block{owner: c.owner})
	}
	b := &c.blocks[i]
	end := max(len(b.data), off+len(p))
	if b.owner != c.owner || end > cap(b.data) {
		grown := make([]byte, len(b.data), roomFor(end))
		copy(grown, b.data)
		*b = block{grown, c.owner}
	}
	b.data = b.data[:end]
	copy(b.data[off:], p)
}

// roomFor is the capacity of a block that has to hold n bytes: appends double
// it, so that small files stay small and growing ones are rarely copied.
func roomFor(n int) int {
	room := 256
	for room < n {
		room *= 2
	}
	return min(room, blockSize)
}

// truncate drops what is beyond size.
func (c *content) truncate(size int64) {
	if size >= c.size {
		return
	}
	c.size = size
	c.blocks = c.blocks[:(size+blockSize-1)/blockSize]
	if n := size % blockSize; n > 0 {
		last := &c.blocks[len(c.blocks)-1]
		last.data = last.data[:n]
	}
}
