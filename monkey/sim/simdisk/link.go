// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"os"
	"slices"
	"syscall"
)

func linkFailed(op, oldname, newname string, err error) error {
	return &os.LinkError{Op: op, Old: oldname, New: newname, Err: err}
}

// Link gives a file a second name, which must be free.
func (m *Mount) Link(oldname, newname string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.link(oldname, newname); err != nil {
		return linkFailed("link", oldname, newname, err)
	}
	return nil
}

func (m *Mount) link(oldname, newname string) error {
	n, err := m.find(split(oldname))
	if err != nil {
		return err
	}
	if n.dir != nil {
		return syscall.EPERM
	}
	d, last, there, err := m.parent(newname)
	if err != nil {
		return err
	}
	if there != nil {
		return os.ErrExist
	}
	d.set(last, n)
	return nil
}

// Rename moves a file or a directory to another name, in place of a file or an
// empty directory that has that name.
func (m *Mount) Rename(oldname, newname string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.rename(oldname, newname); err != nil {
		return linkFailed("rename", oldname, newname, err)
	}
	return nil
}

func (m *Mount) rename(oldname, newname string) error {
	from, fromName, n, err := m.parent(oldname)
	if err != nil {
		return err
	}
	if n == nil {
		return os.ErrNotExist
	}
	to, toName, there, err := m.parent(newname)
	if err != nil {
		return err
	}
	if there == n {
		return nil // two names of one file: POSIX leaves both
	}
	if err := mayReplace(n, there); err != nil {
		return err
	}
	if n.dir != nil && isPrefix(split(oldname), split(newname)) {
		return syscall.EINVAL
	}
	from.set(fromName, nil)
	to.set(toName, n)
	if from != to {
		from.cross(fromName)
		to.cross(toName)
	}
	return nil
}

// mayReplace reports whether n can be renamed over what is there, if anything.
func mayReplace(n, there *node) error {
	switch {
	case there == nil:
		return nil
	case there.dir == nil && n.dir != nil:
		return syscall.ENOTDIR
	case there.dir != nil && n.dir == nil:
		return syscall.EISDIR
	case there.dir != nil && len(there.dir.now) > 0:
		return syscall.ENOTEMPTY
	}
	return nil
}

func isPrefix(a, b []string) bool {
	return len(a) <= len(b) && slices.Equal(a, b[:len(a)])
}
