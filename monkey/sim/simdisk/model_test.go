// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"io"
	"maps"
	"path"
	"slices"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
)

// model is a file system in the simplest way: everything is copied. A file or
// directory is its pointer, so that it may have several names and be open.
type model struct{ root *inode }

type inode struct {
	isDir        bool
	data, synced []byte
	names, safe  map[string]*inode // entries now, and those synced
	emptied      bool              // by Create, and not synced since
	moved        bool              // an entry was renamed to or from here and not synced
}

func newInode(isDir bool) *inode {
	t := &inode{isDir: isDir}
	if isDir {
		t.names, t.safe = map[string]*inode{}, map[string]*inode{}
	}
	return t
}

// at finds a directory and the last element of a path in it.
func (m *model) at(name string) (*inode, string) {
	dir, base := path.Split(path.Clean(name))
	return m.get(dir), base
}

func (m *model) get(name string) *inode {
	n := m.root
	for _, e := range split(name) {
		if n == nil || !n.isDir {
			return nil
		}
		n = n.names[e]
	}
	return n
}

func (m *model) syncDir(d *inode) {
	if d.moved {
		m.each(func(t *inode) { t.safe, t.moved = maps.Clone(t.names), false })
	}
	d.safe, d.moved = maps.Clone(d.names), false
}

func (m *model) each(f func(*inode)) {
	var walk func(t *inode)
	walk = func(t *inode) {
		if !t.isDir {
			return
		}
		f(t)
		for _, c := range t.names {
			walk(c)
		}
	}
	walk(m.root)
}

// copy makes a tree of its own, of everything or of what was synced.
func (m *model) copy(synced bool) *model {
	seen := map[*inode]*inode{}
	var dup func(t *inode) *inode
	dup = func(t *inode) *inode {
		if t == nil || seen[t] != nil {
			return seen[t]
		}
		c := newInode(t.isDir)
		seen[t] = c
		c.data, c.synced = slices.Clone(t.data), slices.Clone(t.synced)
		c.moved, c.emptied = t.moved && !synced, t.emptied && !synced
		if synced {
			c.data = slices.Clone(t.synced)
		}
		for name, x := range t.safe {
			c.safe[name] = dup(x)
			if synced {
				c.names[name] = dup(x)
			}
		}
		for name, x := range t.names {
			if !synced {
				c.names[name] = dup(x)
			}
		}
		return c
	}
	return &model{dup(m.root)}
}

// dump lists a tree with its contents.
func (m *model) dump(t *inode, at string, out map[string]string) map[string]string {
	for name, c := range t.names {
		p := path.Join(at, name)
		if c.isDir {
			out[p] = "directory"
			m.dump(c, p, out)
		} else {
			out[p] = string(c.data)
		}
	}
	return out
}

func dump(t require.TestingT, fs vfs.FS, at string, out map[string]string) map[string]string {
	names, err := fs.List(at)
	require.NoError(t, err)
	for _, name := range names {
		p := path.Join(at, name)
		st, err := fs.Stat(p)
		require.NoError(t, err)
		if st.IsDir() {
			out[p] = "directory"
			dump(t, fs, p, out)
			continue
		}
		f, err := fs.Open(p)
		require.NoError(t, err)
		data, err := io.ReadAll(f)
		require.NoError(t, err)
		require.EqualValues(t, len(data), st.Size())
		out[p] = string(data)
	}
	return out
}
