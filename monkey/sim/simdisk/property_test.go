// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"testing"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// machine drives disk and model with the same operations.
type machine struct {
	disk  *Disk
	mount *Mount
	model *model
	files map[string]open // by the name they were opened under
	dead  *machine        // the incarnation before, which goes on
}

type open struct {
	file  vfs.File
	inode *inode
}

func newMachine() *machine {
	d := New()
	return &machine{disk: d, mount: d.Mount(), model: &model{newInode(true)}, files: map[string]open{}}
}

var anyName = rapid.SampledFrom([]string{"/a", "/b", "/c", "/d", "/d/a", "/d/b", "/d/e", "/d/e/a"})

// both makes a call on the disk and checks that it fails when it has to.
func both(t *rapid.T, allowed bool, err error) bool {
	if allowed != (err == nil) {
		t.Fatalf("the model says allowed=%v, the disk says %v", allowed, err)
	}
	return allowed
}

func (m *machine) create(t *rapid.T) {
	name := anyName.Draw(t, "name")
	d, base := m.model.at(name)
	allowed := d != nil && d.isDir && (d.names[base] == nil || !d.names[base].isDir)
	f, err := m.mount.Create(name)
	if !both(t, allowed, err) {
		return
	}
	n := d.names[base]
	if n == nil {
		n = newInode(false)
		d.names[base] = n
	}
	n.data, n.emptied = nil, true
	m.files[name] = open{f, n}
}

// opened draws an open file.
func (m *machine) opened(t *rapid.T) open {
	if len(m.files) == 0 {
		t.Skip("no file is open")
	}
	return m.files[rapid.SampledFrom(slices.Sorted(maps.Keys(m.files))).Draw(t, "file")]
}

// anyLength prefers what is about a block long.
var anyLength = rapid.OneOf(rapid.IntRange(0, 20), rapid.IntRange(blockSize-3, blockSize+3), rapid.IntRange(0, 3*blockSize))

func (m *machine) write(t *rapid.T) {
	o := m.opened(t)
	off := anyLength.Draw(t, "offset")
	p := make([]byte, anyLength.Draw(t, "length"))
	for i := range p {
		p[i] = byte(1 + i*7 + off)
	}
	_, err := o.file.WriteAt(p, int64(off))
	require.NoError(t, err)
	if len(p) == 0 {
		return
	}
	if grown := off + len(p) - len(o.inode.data); grown > 0 {
		o.inode.data = append(o.inode.data, make([]byte, grown)...)
	}
	copy(o.inode.data[off:], p)
}

func (m *machine) append(t *rapid.T) {
	name := anyName.Draw(t, "name")
	n := m.model.get(name)
	f, err := m.mount.OpenForAppend(name)
	if !both(t, n != nil && !n.isDir, err) {
		return
	}
	p := make([]byte, anyLength.Draw(t, "length"))
	for i := range p {
		p[i] = byte(200 + i)
	}
	_, err = f.Write(p)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	n.data = append(n.data, p...)
}

func (m *machine) syncFile(t *rapid.T) {
	o := m.opened(t)
	require.NoError(t, o.file.Sync())
	o.inode.synced, o.inode.emptied = slices.Clone(o.inode.data), false
}

func (m *machine) syncDir(t *rapid.T) {
	name := rapid.SampledFrom([]string{"/", "/d", "/d/e"}).Draw(t, "name")
	n := m.model.get(name)
	f, err := m.mount.OpenDir(name)
	if !both(t, n != nil && n.isDir, err) {
		return
	}
	require.NoError(t, f.Sync())
	m.model.syncDir(n)
}

func (m *machine) mkdir(t *rapid.T) {
	name := anyName.Draw(t, "name")
	n, allowed := m.model.root, true
	for _, e := range split(name) {
		if n.isDir && n.names[e] == nil {
			n.names[e] = newInode(true)
		}
		if !n.isDir || !n.names[e].isDir {
			allowed = false
			break
		}
		n = n.names[e]
	}
	both(t, allowed, m.mount.MkdirAll(name, 0o755))
}

func (m *machine) remove(t *rapid.T) {
	name := anyName.Draw(t, "name")
	d, base := m.model.at(name)
	allowed := d != nil && d.isDir && d.names[base] != nil && len(d.names[base].names) == 0
	if both(t, allowed, m.mount.Remove(name)) {
		delete(d.names, base)
	}
}

func (m *machine) removeAll(t *rapid.T) {
	name := anyName.Draw(t, "name")
	d, base := m.model.at(name)
	err := m.mount.RemoveAll(name)
	if d != nil && d.isDir {
		require.NoError(t, err)
		delete(d.names, base)
	}
}

func (m *machine) link(t *rapid.T) {
	from, to := anyName.Draw(t, "from"), anyName.Draw(t, "to")
	n := m.model.get(from)
	d, base := m.model.at(to)
	allowed := n != nil && !n.isDir && d != nil && d.isDir && d.names[base] == nil
	if both(t, allowed, m.mount.Link(from, to)) {
		d.names[base] = n
	}
}

func (m *machine) rename(t *rapid.T) {
	from, to := anyName.Draw(t, "from"), anyName.Draw(t, "to")
	d, base := m.model.at(from)
	e, target := m.model.at(to)
	err := m.mount.Rename(from, to)
	if d == nil || e == nil || !d.isDir || !e.isDir || d.names[base] == nil {
		require.Error(t, err)
		return
	}
	n, there := d.names[base], e.names[target]
	if n == there {
		require.NoError(t, err)
		return
	}
	allowed := !n.isDir || !isPrefix(split(from), split(to))
	if there != nil {
		allowed = allowed && n.isDir == there.isDir && len(there.names) == 0
	}
	if !both(t, allowed, err) {
		return
	}
	delete(d.names, base)
	e.names[target] = n
	if d != e {
		d.moved, e.moved = true, true
	}
}

// next detaches the present incarnation and begins another one.
func (m *machine) next(t *rapid.T, after *model) {
	dead := *m
	dead.dead = nil
	m.dead = &dead
	m.model = after
	m.mount, m.files = m.disk.Mount(), map[string]open{}
}

func (m *machine) kill(t *rapid.T) {
	m.disk.Kill()
	m.next(t, m.model.copy(false))
}

func (m *machine) powerLoss(t *rapid.T) {
	files, bytes := m.model.losses()
	e := m.disk.PowerLoss(nil)
	require.Equal(t, files, e.FilesLost, "files lost")
	require.Equal(t, bytes, e.BytesLost, "bytes lost")
	m.next(t, m.model.copy(true))
}

// losses counts what a power loss will drop.
func (m *model) losses() (files, bytes int64) {
	kept, seen := map[*inode]bool{}, map[*inode]bool{}
	var keep, count func(t *inode)
	keep = func(t *inode) {
		if !kept[t] {
			kept[t] = true
			for _, c := range t.safe {
				keep(c)
			}
		}
	}
	count = func(t *inode) {
		if seen[t] {
			return
		}
		seen[t] = true
		for _, c := range t.names {
			count(c)
		}
		switch {
		case t.isDir:
		case !kept[t]:
			files++
			bytes += int64(len(t.data))
		default:
			bytes += int64(max(len(t.data), len(t.synced)) - min(len(t.data), len(t.synced)))
			for i := range min(len(t.data), len(t.synced)) {
				if t.data[i] != t.synced[i] {
					bytes++
				}
			}
		}
	}
	keep(m.root)
	count(m.root)
	return files, bytes
}

func (m *machine) check(t *rapid.T) {
	same(t, m.model.dump(m.model.root, "/", map[string]string{}), dump(t, m.mount, "/", map[string]string{}))
}

func same(t *rapid.T, want, got map[string]string) {
	if maps.Equal(want, got) {
		return
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Fatalf("%s is there and should not be", name)
		}
	}
	for name, w := range want {
		if g, ok := got[name]; !ok || g != w {
			t.Fatalf("%s: want %s, got %s (there: %v)", name, brief(w), brief(g), ok)
		}
	}
}

func brief(s string) string { return fmt.Sprintf("%d bytes %.40q", len(s), s) }

// goOnDead lets the dead incarnation go on: it has to agree with its own model, and what it
// does must not show on the disk.
func (m *machine) goOnDead(t *rapid.T) {
	if m.dead == nil {
		t.Skip("nothing is detached")
	}
	m.dead.create(t)
	m.dead.write(t)
	m.dead.syncFile(t)
	m.dead.rename(t)
	m.dead.check(t)
}

func TestDiskAgreesWithTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine()
		t.Repeat(map[string]func(*rapid.T){
			"create": m.create, "write": m.write, "append": m.append, "sync file": m.syncFile, "sync directory": m.syncDir,
			"mkdir": m.mkdir, "remove": m.remove, "remove all": m.removeAll, "link": m.link, "rename": m.rename,
			"kill": m.kill, "power loss": m.powerLoss, "go on dead": m.goOnDead, "": m.check,
		})
	})
}

// TestTornPowerLossKeepsWhatIsSyncedAndInventsNothing loses power with a random
// source: entries are those of before or the synced ones, a file is between
// what was synced and what was written.
func TestTornPowerLossKeepsWhatIsSyncedAndInventsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine()
		t.Repeat(map[string]func(*rapid.T){
			"create": m.create, "write": m.write, "append": m.append, "sync file": m.syncFile, "sync directory": m.syncDir,
			"mkdir": m.mkdir, "remove": m.remove, "rename": m.rename,
		})
		m.disk.PowerLoss(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		got := dump(t, m.disk.Mount(), "/", map[string]string{})
		now, then := m.model.wrong(got, true), m.model.wrong(got, false)
		if now != "" && then != "" {
			t.Fatalf("with the entries as they were: %s; with the synced ones: %s", now, then)
		}
	})
}

// wrong says what speaks against got being what a torn power loss left, with
// the entries as they are now or the synced ones.
func (m *model) wrong(got map[string]string, now bool) string {
	left := maps.Clone(got)
	var walk func(at string, t *inode) string
	walk = func(at string, t *inode) string {
		names := t.safe
		if now {
			names = t.names
		}
		for name, c := range names {
			p := path.Join(at, name)
			g, ok := left[p]
			delete(left, p)
			if !ok || c.isDir != (g == "directory") {
				return p + " is not there or of another kind"
			}
			if !c.isDir && !c.emptied && len(g) < len(c.synced) {
				return fmt.Sprintf("%s lost synced bytes: %s of %s", p, brief(g), brief(string(c.synced)))
			}
			if !c.isDir && !between(g, string(c.synced), string(c.data)) {
				return fmt.Sprintf("%s holds %s, which is not between synced %s and written %s", p, brief(g), brief(string(c.synced)), brief(string(c.data)))
			}
			if c.isDir {
				if w := walk(p, c); w != "" {
					return w
				}
			}
		}
		return ""
	}
	if w := walk("/", m.root); w != "" {
		return w
	}
	for p := range left {
		return p + " should not be there"
	}
	return ""
}

// between reports whether every byte is as in synced or as in written.
func between(got, synced, written string) bool {
	if len(got) > max(len(synced), len(written)) {
		return false
	}
	for i := range got {
		if (i >= len(synced) || got[i] != synced[i]) && (i >= len(written) || got[i] != written[i]) {
			return false
		}
	}
	return true
}

// TestModelIsNotBlind makes sure that the names of the model can be reached.
func TestModelIsNotBlind(t *testing.T) {
	m := newMachine()
	require.NoError(t, m.mount.MkdirAll("/d/e", os.ModePerm))
	f, err := m.mount.Create("/d/e/a")
	require.NoError(t, err)
	_, err = f.Write([]byte("x"))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"/d": "directory", "/d/e": "directory", "/d/e/a": "x"}, dump(t, m.mount, "/", map[string]string{}))
}
