// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Effect is what taking a disk away from its process did to the data on it.
// The zero value is no effect.
type Effect struct {
	// BytesLost counts bytes that were written and are gone, and synced ones
	// whose overwriting was turned back.
	BytesLost int64
	// FilesLost counts files that are gone.
	FilesLost int64
	// EntriesUndone counts creations, removals and renamings that were turned
	// back.
	EntriesUndone int64
}

// Disk is what is left when the process is gone. Its methods are safe for
// concurrent use.
//
// The network of a process that is ended must be taken away before its disk:
// what a detached Mount syncs is on no disk, so it must not be acknowledged.
type Disk struct {
	dirs []string // there from the beginning

	mu      sync.Mutex
	root    *node  // what the next mount will see; nil while mounted
	mounted *Mount // nil when no process uses the disk
}

// New makes a disk that holds nothing but the given directories. These are
// durable, as what was there when the machine was set up; a directory that a
// process makes itself is not, until it has synced the one above.
func New(dirs ...string) *Disk {
	d := &Disk{dirs: dirs}
	d.root = d.blank()
	return d
}

// blank is the tree of a new disk.
func (d *Disk) blank() *node {
	root := newDir(time.Now())
	for _, name := range d.dirs {
		n := root
		for _, e := range split(name) {
			if n.dir.now[e] == nil {
				n.dir.now[e] = newDir(root.modTime)
			}
			n = n.dir.now[e]
		}
	}
	return root
}

// Mount hands the disk to a new incarnation of the process. A mount that is
// still there is killed first.
func (d *Disk) Mount() *Mount {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.take(keep)
	m := &Mount{disk: d, root: d.root, locks: map[string]bool{}}
	d.root, d.mounted = nil, m
	return m
}

// Kill ends the incarnation as a killed process does: everything it wrote
// stays, synced or not, and can still be lost in a later power loss.
func (d *Disk) Kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.take(keep)
}

// PowerLoss drops all that was not synced, by this or an earlier incarnation,
// and ends the present one if there is one. With a random source, some of it
// survives, as it may on real disks: any part of the unsynced tail of a file,
// any of its overwritten pages, and all of the directory entries or none.
func (d *Disk) PowerLoss(torn *rand.Rand) Effect {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.take(lose(torn))
}

// Wipe makes the disk as New did and ends the incarnation if there is one.
func (d *Disk) Wipe() Effect {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.take(func(root *node) (*node, Effect) {
		files, bytes := usage(root, map[*node]bool{})
		return d.blank(), Effect{BytesLost: bytes, FilesLost: files}
	})
}

// take makes the disk's root from what the mount has, or from what is there
// without one. The mount is detached, with a tree of its own.
func (d *Disk) take(with func(*node) (*node, Effect)) Effect {
	if d.mounted == nil {
		var e Effect
		d.root, e = with(d.root)
		return e
	}
	m := d.mounted
	m.mu.Lock()
	defer m.mu.Unlock()
	return d.takeLocked(with)
}

// takeLocked is take for a caller that holds the lock of the mount.
func (d *Disk) takeLocked(with func(*node) (*node, Effect)) Effect {
	root, e := with(d.mounted.root)
	d.mounted.detached = true
	d.root, d.mounted = root, nil
	return e
}

func keep(root *node) (*node, Effect) { return copied{}.present(root), Effect{} }

func lose(torn *rand.Rand) func(*node) (*node, Effect) {
	return func(root *node) (*node, Effect) {
		t, c := newTear(torn), copied{}
		after := c.durable(root, t)
		return after, losses(root, c, t)
	}
}

// losses compares the tree under root with what survived of it.
func losses(root *node, survivors copied, t *tear) Effect {
	var e Effect
	seen := map[*node]bool{}
	var walk func(n *node)
	walk = func(n *node) {
		if seen[n] {
			return
		}
		seen[n] = true
		m := survivors[n]
		if n.file != nil {
			if m == nil {
				e.FilesLost++
				e.BytesLost += n.file.now.size
			} else if n.file.dirty() {
				e.BytesLost += differing(&n.file.now, &m.file.now)
			}
			return
		}
		if m != nil && !t.entries {
			e.EntriesUndone += int64(len(n.dir.pending))
		}
		for _, child := range n.dir.now {
			walk(child)
		}
	}
	walk(root)
	return e
}

// differing counts the bytes of a that b lacks or has otherwise, and those of
// b beyond the end of a.
func differing(a, b *content) int64 {
	n := max(a.size, b.size) - min(a.size, b.size)
	for i, common := 0, min(a.size, b.size); common > 0; i++ {
		x, y := a.blocks[i].data, b.blocks[i].data
		k := min(common, int64(len(x)), int64(len(y)))
		for j := range k {
			if x[j] != y[j] {
				n++
			}
		}
		common -= k
	}
	return n
}
