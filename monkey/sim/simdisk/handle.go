// SPDX-License-Identifier: Apache-2.0

package simdisk

import (
	"io"
	"os"
	"path"
	"runtime"
	"syscall"
	"time"
)

// handle is an open file or directory. As with os.File, Read and Write share
// one position, ReadAt and WriteAt leave it alone, and after Close everything
// is refused.
type handle struct {
	mount    *Mount
	node     *node
	name     string
	pos      int64
	writable bool
	appends  bool
	closed   bool
}

// usable is the error of an operation on the content, if it is not allowed.
func (h *handle) usable(op string, write bool) error {
	switch {
	case h.closed:
		return failed(op, h.name, os.ErrClosed)
	case h.node.dir != nil:
		return failed(op, h.name, syscall.EISDIR)
	case write && !h.writable:
		return failed(op, h.name, syscall.EBADF)
	}
	return nil
}

// Read reads from the position on and moves it.
func (h *handle) Read(p []byte) (int, error) {
	h.mount.before(OpRead)
	h.mount.mu.Lock()
	defer h.mount.mu.Unlock()
	if err := h.usable("read", false); err != nil || len(p) == 0 {
		return 0, err
	}
	n := h.node.file.now.readAt(p, h.pos)
	h.pos += int64(n)
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// ReadAt reads from off on; less than asked for comes with io.EOF.
func (h *handle) ReadAt(p []byte, off int64) (int, error) {
	h.mount.before(OpRead)
	h.mount.mu.RLock()
	defer h.mount.mu.RUnlock()
	if err := h.usable("read", false); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, failed("read", h.name, syscall.EINVAL)
	}
	n := h.node.file.now.readAt(p, off)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Write writes at the position, or at the end in a file opened to append.
func (h *handle) Write(p []byte) (int, error) {
	h.mount.before(OpWrite)
	h.mount.mu.Lock()
	defer h.mount.mu.Unlock()
	if err := h.usable("write", true); err != nil {
		return 0, err
	}
	if h.appends {
		h.pos = h.node.file.now.size
	}
	h.write(p, h.pos)
	h.pos += int64(len(p))
	return len(p), nil
}

// WriteAt writes at off. A gap that it leaves reads as zeros.
func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	h.mount.before(OpWrite)
	h.mount.mu.Lock()
	defer h.mount.mu.Unlock()
	if err := h.usable("write", true); err != nil {
		return 0, err
	}
	if off < 0 || h.appends {
		return 0, failed("write", h.name, syscall.EINVAL)
	}
	h.write(p, off)
	return len(p), nil
}

func (h *handle) write(p []byte, off int64) {
	if len(p) > 0 {
		h.mount.take(h.mount.times.Write)
		h.node.file.write(p, off)
		h.node.modTime = time.Now()
	}
}

// Sync makes the content of a file, or the entries of a directory, durable. Before it
// does, goroutines that are ready go on, as they would while a disk is at work: what
// was handed over to them before is not durable yet when they see it.
func (h *handle) Sync() error {
	runtime.Gosched()
	h.mount.beforeSync(h.node)
	h.mount.before(OpSync)
	h.mount.mu.Lock()
	defer h.mount.mu.Unlock()
	if h.closed {
		return failed("sync", h.name, os.ErrClosed)
	}
	if h.node.dirty() {
		h.mount.takeSync()
	}
	switch n := h.node; {
	case n.file != nil:
		n.file.sync()
	case n.dir.crossed():
		syncAll(h.mount.root)
	default:
		n.dir.sync()
	}
	return nil
}

// Close closes the handle, not its other handles. A second time is an error.
func (h *handle) Close() error {
	h.mount.mu.Lock()
	defer h.mount.mu.Unlock()
	if h.closed {
		return failed("close", h.name, os.ErrClosed)
	}
	h.closed = true
	return nil
}

// Stat describes the file as it is at this moment.
func (h *handle) Stat() (os.FileInfo, error) {
	h.mount.mu.RLock()
	defer h.mount.mu.RUnlock()
	if h.closed {
		return nil, failed("stat", h.name, os.ErrClosed)
	}
	i := info{name: path.Base(path.Clean("/" + h.name)), mode: h.node.mode, modTime: h.node.modTime}
	if h.node.file != nil {
		i.size = h.node.file.now.size
	}
	return i, nil
}

// info describes a file at the moment of a Stat.
type info struct {
	name    string
	size    int64
	mode    os.FileMode
	modTime time.Time
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() os.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.modTime }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }
