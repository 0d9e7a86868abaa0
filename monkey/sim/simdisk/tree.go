// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"maps"
	"slices"
)

// copied maps nodes of one tree to their copies in another, so that a node
// that has several names keeps them.
type copied map[*node]*node

// present copies the tree under n as it is now, with what is needed to go back
// to what was synced last: the state that survives a process.
func (c copied) present(n *node) *node {
	if n == nil || c[n] != nil {
		return c[n]
	}
	m := &node{mode: n.mode, modTime: n.modTime}
	c[n] = m
	if n.file != nil {
		m.file = n.file.copy()
		return m
	}
	m.dir = &dir{now: make(map[string]*node, len(n.dir.now)), pending: make(map[string]change, len(n.dir.pending))}
	for name, child := range n.dir.now {
		m.dir.now[name] = c.present(child)
	}
	for name, ch := range n.dir.pending {
		m.dir.pending[name] = change{c.present(ch.was), ch.crossed}
	}
	return m
}

func (f *file) copy() *file {
	g := &file{now: f.now.share(), synced: f.synced, undo: slices.Clone(f.undo), undoBytes: f.undoBytes}
	if f.base != nil {
		base := f.base.share()
		g.base = &base
	}
	return g
}

// durable copies what survives a power loss of the tree under n.
func (c copied) durable(n *node, t *tear) *node {
	if c[n] != nil {
		return c[n]
	}
	m := &node{mode: n.mode, modTime: n.modTime}
	c[n] = m
	if n.file != nil {
		now := t.content(n.file)
		m.file = &file{now: now, synced: now.size}
		return m
	}
	m.dir = &dir{now: map[string]*node{}, pending: map[string]change{}}
	for _, name := range n.dir.names(t.entries) {
		m.dir.now[name] = c.durable(n.dir.get(name, t.entries), t)
	}
	return m
}

// names lists the entries in order, those there are now or the durable ones.
func (d *dir) names(now bool) []string {
	names := make(map[string]bool, len(d.now))
	for name := range d.now {
		names[name] = true
	}
	if !now {
		for name, ch := range d.pending {
			names[name] = ch.was != nil
		}
	}
	maps.DeleteFunc(names, func(_ string, there bool) bool { return !there })
	return slices.Sorted(maps.Keys(names))
}

// get looks a name up as it is now or as it is after a power loss.
func (d *dir) get(name string, now bool) *node {
	if ch, ok := d.pending[name]; ok && !now {
		return ch.was
	}
	return d.now[name]
}

// syncAll makes all entries of the tree under n durable.
func syncAll(n *node) {
	if n.dir == nil {
		return
	}
	n.dir.sync()
	for _, child := range n.dir.now {
		syncAll(child)
	}
}

// usage adds up the files under n; one with several names counts once.
func usage(n *node, seen map[*node]bool) (files, bytes int64) {
	if seen[n] {
		return 0, 0
	}
	seen[n] = true
	if n.file != nil {
		return 1, n.file.now.size
	}
	for _, child := range n.dir.now {
		f, b := usage(child, seen)
		files, bytes = files+f, bytes+b
	}
	return files, bytes
}
