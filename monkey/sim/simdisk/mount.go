// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"io"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lni/goutils/vfs"
)

// freeSpace is what GetFreeSpace reports: the disk is never full, because
// Dragonboat ends the process when it is.
const freeSpace = 1 << 40

// Mount is the disk as one incarnation of a process sees it. It behaves as the
// file system of an operating system does: paths are /-separated, "." and the
// root are the same directory, open files may be removed and renamed. It is
// safe for concurrent use, and so are its files.
type Mount struct {
	disk *Disk

	syncLoss atomic.Pointer[syncLoss] // nil: no power loss waits for a Sync
	failing  atomic.Pointer[failure]  // nil: no operation is to fail

	mu       sync.RWMutex // taken after disk.mu; guards all below and all nodes
	root     *node
	locks    map[string]bool
	detached bool
	times    Times
	slowed   int64
	onCreate func(name string)
}

var _ vfs.FS = (*Mount)(nil)

// split cleans a path and cuts it into its elements.
func split(name string) []string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if name == "" {
		return nil
	}
	return strings.Split(name, "/")
}

func failed(op, name string, err error) error {
	return &os.PathError{Op: op, Path: name, Err: err}
}

// Detached reports whether the mount is the disk's no more, because the process was
// killed or lost its power: what it writes and syncs is on no disk.
func (m *Mount) Detached() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.detached
}

// OnCreate has f told the name of each file that the process makes from now on, or
// empties, while the mount is the disk's. It is called with the mount locked, so it
// must not use the disk, and must not block.
func (m *Mount) OnCreate(f func(name string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.onCreate = f
}

// find walks down from the root.
func (m *Mount) find(elems []string) (*node, error) {
	n := m.root
	for _, e := range elems {
		if n.dir == nil {
			return nil, syscall.ENOTDIR
		}
		if n = n.dir.now[e]; n == nil {
			return nil, os.ErrNotExist
		}
	}
	return n, nil
}

// parent finds the directory of a path and the name in it. The node is nil
// when there is no such entry yet.
func (m *Mount) parent(name string) (*dir, string, *node, error) {
	elems := split(name)
	if len(elems) == 0 {
		return nil, "", nil, syscall.EBUSY // nobody creates, renames or removes the root
	}
	n, err := m.find(elems[:len(elems)-1])
	if err != nil {
		return nil, "", nil, err
	}
	if n.dir == nil {
		return nil, "", nil, syscall.ENOTDIR
	}
	last := elems[len(elems)-1]
	return n.dir, last, n.dir.now[last], nil
}

// Create makes a file, or empties the one there is, and opens it for reading
// and writing.
func (m *Mount) Create(name string) (vfs.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.create(name)
	if err != nil {
		return nil, failed("create", name, err)
	}
	return &handle{mount: m, node: n, name: name, writable: true}, nil
}

func (m *Mount) create(name string) (*node, error) {
	d, last, n, err := m.parent(name)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if m.onCreate != nil && !m.detached {
		m.onCreate(name)
	}
	if n == nil {
		n = newFile(now)
		d.set(last, n)
		return n, nil
	}
	if n.dir != nil {
		return nil, syscall.EISDIR
	}
	n.file.clear()
	n.modTime = now
	return n, nil
}

// Open opens a file or a directory for reading.
func (m *Mount) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	h, err := m.open("open", name)
	if err != nil {
		return nil, err
	}
	for _, o := range opts {
		o.Apply(h)
	}
	return h, nil
}

func (m *Mount) open(op, name string) (*handle, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n, err := m.find(split(name))
	if err != nil {
		return nil, failed(op, name, err)
	}
	return &handle{mount: m, node: n, name: name}, nil
}

// OpenDir opens a directory, for its Sync.
func (m *Mount) OpenDir(name string) (vfs.File, error) {
	h, err := m.open("open", name)
	if err != nil {
		return nil, err
	}
	if h.node.dir == nil {
		return nil, failed("open", name, syscall.ENOTDIR)
	}
	return h, nil
}

// OpenForAppend opens a file that is there for reading, and for writing at its
// end.
func (m *Mount) OpenForAppend(name string) (vfs.File, error) {
	h, err := m.open("open", name)
	if err != nil {
		return nil, err
	}
	if h.node.dir != nil {
		return nil, failed("open", name, syscall.EISDIR)
	}
	h.writable, h.appends = true, true
	return h, nil
}

// ReuseForWrite renames a file and opens it for writing over what it has.
func (m *Mount) ReuseForWrite(oldname, newname string) (vfs.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.rename(oldname, newname); err != nil {
		return nil, linkFailed("rename", oldname, newname, err)
	}
	n, err := m.find(split(newname))
	if err == nil && n.dir != nil {
		err = syscall.EISDIR
	}
	if err != nil {
		return nil, failed("open", newname, err)
	}
	return &handle{mount: m, node: n, name: newname, writable: true}, nil
}

// Remove removes a file or an empty directory.
func (m *Mount) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, last, n, err := m.parent(name)
	switch {
	case err != nil:
	case n == nil:
		err = os.ErrNotExist
	case n.dir != nil && len(n.dir.now) > 0:
		err = syscall.ENOTEMPTY
	}
	if err != nil {
		return failed("remove", name, err)
	}
	d.set(last, nil)
	return nil
}

// RemoveAll removes a file or a directory with all that it holds. It is no
// error when there is none.
func (m *Mount) RemoveAll(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, last, n, err := m.parent(name)
	if os.IsNotExist(err) || err == nil && n == nil {
		return nil
	}
	if err != nil {
		return failed("removeall", name, err)
	}
	d.set(last, nil)
	return nil
}

// MkdirAll makes a directory and those above it that are missing.
func (m *Mount) MkdirAll(name string, _ os.FileMode) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, now := m.root, time.Now()
	for _, e := range split(name) {
		next := n.dir.now[e]
		if next == nil {
			next = newDir(now)
			n.dir.set(e, next)
		}
		if next.dir == nil {
			return failed("mkdir", name, syscall.ENOTDIR)
		}
		n = next
	}
	return nil
}

// Lock makes the file if it is not there, empties it, and holds it until the
// closer is closed. A second Lock of the same incarnation is refused; those of a
// detached Mount do not count.
func (m *Mount) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := path.Clean("/" + name)
	if m.locks[key] {
		return nil, failed("lock", name, syscall.EAGAIN)
	}
	if _, err := m.create(name); err != nil {
		return nil, failed("lock", name, err)
	}
	m.locks[key] = true
	return &lock{m, key}, nil
}

type lock struct {
	m   *Mount
	key string
}

// Close releases the lock. Closing it again does nothing.
func (l *lock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if l.key != "" {
		delete(l.m.locks, l.key)
		l.key = ""
	}
	return nil
}

// List names what is in a directory, in order.
func (m *Mount) List(name string) ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n, err := m.find(split(name))
	if err == nil && n.dir == nil {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, failed("open", name, err)
	}
	return n.dir.names(true), nil
}

// Stat describes a file or a directory as it is at this moment.
func (m *Mount) Stat(name string) (os.FileInfo, error) {
	h, err := m.open("stat", name)
	if err != nil {
		return nil, err
	}
	return h.Stat()
}

// PathBase returns the last element of a path.
func (*Mount) PathBase(p string) string { return path.Base(p) }

// PathJoin joins the elements of a path.
func (*Mount) PathJoin(elem ...string) string { return path.Join(elem...) }

// PathDir returns all but the last element of a path.
func (*Mount) PathDir(p string) string { return path.Dir(p) }

// GetFreeSpace always returns the same large number.
func (*Mount) GetFreeSpace(string) (uint64, error) { return freeSpace, nil }
