// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"os"
	"time"
)

// node is a file or a directory, with what is there now and with what is
// needed to go back to what was synced last. It is guarded by its mount's lock.
type node struct {
	mode    os.FileMode
	modTime time.Time

	file *file // either file
	dir  *dir  // or dir is set
}

// file is the content of a file. The durable content is base if that is set;
// otherwise the first synced bytes of now, with undo applied to them.
type file struct {
	now       content
	synced    int64    // at most now.size
	undo      []extent // what was overwritten below synced, oldest first
	undoBytes int64    // sum of the lengths in undo
	base      *content
	emptied   bool // since it was synced
}

// extent is what stood at an offset before it was overwritten.
type extent struct {
	off  int64
	data []byte
}

// dir is the content of a directory. Its durable entries are those of now,
// but for the names in pending.
type dir struct {
	now     map[string]*node
	pending map[string]change
}

// change is an entry whose present state was not synced.
type change struct {
	was     *node // the durable entry; nil: there is none
	crossed bool  // it changed by a rename from or to another directory
}

func newFile(now time.Time) *node {
	return &node{mode: 0o666, modTime: now, file: &file{now: newContent()}}
}

func newDir(now time.Time) *node {
	return &node{mode: os.ModeDir | 0o755, modTime: now, dir: &dir{now: map[string]*node{}, pending: map[string]change{}}}
}

// write writes p at off and keeps what it overwrites of the durable content.
func (f *file) write(p []byte, off int64) {
	if end := min(off+int64(len(p)), f.synced); f.base == nil && off < end {
		old := make([]byte, end-off)
		f.now.readAt(old, off)
		f.undo = append(f.undo, extent{off, old})
		if f.undoBytes += int64(len(old)); f.undoBytes > f.synced+blockSize {
			f.freeze() // undo has outgrown a copy of the whole
		}
	}
	f.now.writeAt(p, off)
}

// clear makes the file empty, which like a write lasts only when synced.
func (f *file) clear() {
	f.freeze()
	f.now, f.emptied = newContent(), true
}

// freeze sets base to the durable content.
func (f *file) freeze() {
	if f.base == nil {
		base := f.durable()
		*f = file{now: f.now, base: &base}
	}
}

// sync makes the present content durable.
func (f *file) sync() { *f = file{now: f.now, synced: f.now.size} }

func (f *file) dirty() bool {
	return f.base != nil || len(f.undo) > 0 || f.now.size > f.synced
}

// durable returns the content that survives a power loss.
func (f *file) durable() content {
	if f.base != nil {
		return f.base.share()
	}
	c := f.now.share()
	c.truncate(f.synced)
	for i := len(f.undo) - 1; i >= 0; i-- {
		c.write(f.undo[i].data, f.undo[i].off)
	}
	return c
}

// set makes name stand for n, or for nothing when n is nil.
func (d *dir) set(name string, n *node) {
	if _, ok := d.pending[name]; !ok {
		d.pending[name] = change{was: d.now[name]}
	}
	if n == nil {
		delete(d.now, name)
	} else {
		d.now[name] = n
	}
}

// cross notes that name, which has changed, did so in a rename between
// directories.
func (d *dir) cross(name string) {
	c := d.pending[name]
	c.crossed = true
	d.pending[name] = c
}

// sync makes the present entries durable.
func (d *dir) sync() { clear(d.pending) }

// crossed reports whether an entry changed in a rename between directories.
func (d *dir) crossed() bool {
	for _, c := range d.pending {
		if c.crossed {
			return true
		}
	}
	return false
}
