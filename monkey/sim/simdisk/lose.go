// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"maps"
	"path"
	"slices"
)

// Lose removes files for good, as somebody does who takes the wrong ones for garbage: those
// for whose names from the root in holds. It removes none while the disk is mounted.
func (d *Disk) Lose(in func(name string) bool) Effect {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mounted != nil {
		return Effect{}
	}
	return d.root.lose("/", in)
}

func (n *node) lose(name string, in func(name string) bool) (e Effect) {
	for _, child := range slices.Sorted(maps.Keys(n.dir.now)) {
		x, full := n.dir.now[child], path.Join(name, child)
		switch {
		case x.file == nil:
			lost := x.lose(full, in)
			e.FilesLost, e.BytesLost = e.FilesLost+lost.FilesLost, e.BytesLost+lost.BytesLost
		case in(full):
			e.FilesLost, e.BytesLost = e.FilesLost+1, e.BytesLost+x.file.now.size
			delete(n.dir.now, child)
			delete(n.dir.pending, child)
		}
	}
	return e
}
