// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"maps"
	"math/rand/v2"
	"path"
	"slices"
)

// Rot flips so many bits in files that no process uses, as a medium does over time:
// which ones rng draws, each byte as likely as any other. in says in which files, by
// their names from the root. Files with something that was not synced are left alone.
// It returns how many bits were flipped: none while the disk is mounted, or if there
// is no such file.
func (d *Disk) Rot(bits int, rng *rand.Rand, in func(name string) bool) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mounted != nil {
		return 0
	}
	files, size := d.root.closed("/", in, map[*node]bool{}), int64(0)
	for _, f := range files {
		size += f.now.size
	}
	if size == 0 {
		return 0
	}
	for range bits {
		at := rng.Int64N(size)
		for _, f := range files {
			if at < f.now.size {
				f.flip(at, byte(1)<<rng.IntN(8))
				break
			}
			at -= f.now.size
		}
	}
	return bits
}

// closed lists the files under n for which in holds and that are wholly synced, in
// the order of their names. One with several names is there once.
func (n *node) closed(name string, in func(name string) bool, seen map[*node]bool) (files []*file) {
	if n.file != nil {
		if !seen[n] && !n.file.dirty() && in(name) {
			seen[n] = true
			files = append(files, n.file)
		}
		return files
	}
	for _, child := range slices.Sorted(maps.Keys(n.dir.now)) {
		files = append(files, n.dir.now[child].closed(path.Join(name, child), in, seen)...)
	}
	return files
}

// flip changes bits of one byte of a file that is synced, and stays so.
func (f *file) flip(at int64, bits byte) {
	one := make([]byte, 1)
	f.now.readAt(one, at)
	f.now.write([]byte{one[0] ^ bits}, at)
}
