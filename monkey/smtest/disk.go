// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"sync"

	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/monkey/sim/simdisk"
)

// disk is the disk of one replica, which outlives its processes.
type disk interface {
	// mount hands the disk to a new process, and ends the one before as kill does.
	mount() (mount, error)
	// end takes the disk away from its process, as the death says.
	end(death) error
	// synced is called when Sync has returned.
	synced() error
	// openFiles names what the present process has open.
	openFiles() []string
}

// mount is what one process has of a disk.
type mount struct {
	fs  vfs.FS // nil: the operating system's
	dir string
}

// death is how a process ends.
type death struct {
	powerLoss bool
	// torn draws what a power loss leaves of what was not synced; 0: nothing of
	// it is left.
	torn uint64
}

func (d death) rand() *rand.Rand {
	if d.torn == 0 {
		return nil
	}
	return rand.New(rand.NewPCG(d.torn, 0))
}

func (d death) String() string {
	switch {
	case !d.powerLoss:
		return "is killed: what it wrote stays, synced or not"
	case d.torn == 0:
		return "loses its power: all that was not synced is gone"
	}
	return "loses its power: some of what was not synced is gone"
}

// simulatedDisk is a simdisk.Disk. It can end a process between any two of the
// changes that this makes to its files.
type simulatedDisk struct {
	disk *simdisk.Disk

	mu      sync.Mutex
	present *process // the last to mount
}

// simulatedDir is the folder of the state machine. The one above is there from
// the beginning, this one isn't.
const simulatedDir = "/data/replica"

func newSimulatedDisk() *simulatedDisk { return &simulatedDisk{disk: simdisk.New("/data")} }

func (d *simulatedDisk) mount() (mount, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.present = &process{FS: d.disk.Mount(), disk: d.disk}
	return mount{d.present, simulatedDir}, nil
}

func (d *simulatedDisk) end(how death) error {
	d.process().die(how)
	return nil
}

func (d *simulatedDisk) process() *process {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.present
}

func (d *simulatedDisk) synced() error { return nil }

func (d *simulatedDisk) openFiles() []string { return d.process().open() }

// process is the file system as one process sees it. When its time has come it
// dies before a change takes effect. The state machine doesn't notice: it goes
// on with files of which nothing reaches the disk any more.
type process struct {
	vfs.FS
	disk *simdisk.Disk

	mu    sync.Mutex
	left  int // changes until it dies; 0: it goes on
	how   death
	dead  bool
	files []string // open ones
}

// dieAfter lets the process die before the change of the given number from now,
// of which the next one is 1.
func (p *process) dieAfter(changes int, how death) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left, p.how = changes, how
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

func (p *process) die(how death) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dieLocked(how)
}

func (p *process) dieLocked(how death) {
	if p.dead {
		return
	}
	p.dead = true
	if how.powerLoss {
		p.disk.PowerLoss(how.rand())
	} else {
		p.disk.Kill()
	}
}

// change is called before each change.
func (p *process) change() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left > 0 {
		if p.left--; p.left == 0 {
			p.dieLocked(p.how)
		}
	}
}

func (p *process) open() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(slices.Values(p.files))
}

func (p *process) opened(name string, file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	p.add(name)
	return &processFile{file, p, name, sync.Once{}}, nil
}

func (p *process) add(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files = append(p.files, name)
}

func (p *process) remove(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.files, name); i >= 0 {
		p.files = slices.Delete(p.files, i, i+1)
	}
}

// The methods of vfs.FS that change something or open files.

func (p *process) Create(name string) (vfs.File, error) {
	p.change()
	file, err := p.FS.Create(name)
	return p.opened(name, file, err)
}

func (p *process) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	file, err := p.FS.Open(name, opts...)
	return p.opened(name, file, err)
}

func (p *process) OpenDir(name string) (vfs.File, error) {
	file, err := p.FS.OpenDir(name)
	return p.opened(name, file, err)
}

func (p *process) OpenForAppend(name string) (vfs.File, error) {
	file, err := p.FS.OpenForAppend(name)
	return p.opened(name, file, err)
}

func (p *process) ReuseForWrite(from, to string) (vfs.File, error) {
	p.change()
	file, err := p.FS.ReuseForWrite(from, to)
	return p.opened(to, file, err)
}

func (p *process) Lock(name string) (io.Closer, error) {
	p.change()
	lock, err := p.FS.Lock(name)
	if err != nil {
		return nil, err
	}
	p.add(name)
	return &processLock{lock, p, name, sync.Once{}}, nil
}

func (p *process) Link(from, to string) error {
	p.change()
	return p.FS.Link(from, to)
}

func (p *process) Rename(from, to string) error {
	p.change()
	return p.FS.Rename(from, to)
}

func (p *process) Remove(name string) error {
	p.change()
	return p.FS.Remove(name)
}

func (p *process) RemoveAll(name string) error {
	p.change()
	return p.FS.RemoveAll(name)
}

func (p *process) MkdirAll(name string, perm os.FileMode) error {
	p.change()
	return p.FS.MkdirAll(name, perm)
}

// processFile is an open file of a process.
type processFile struct {
	vfs.File
	process *process
	name    string
	closed  sync.Once
}

func (f *processFile) Write(data []byte) (int, error) {
	f.process.change()
	return f.File.Write(data)
}

func (f *processFile) WriteAt(data []byte, at int64) (int, error) {
	f.process.change()
	return f.File.WriteAt(data, at)
}

func (f *processFile) Sync() error {
	f.process.change()
	return f.File.Sync()
}

func (f *processFile) Close() error {
	f.closed.Do(func() { f.process.remove(f.name) })
	return f.File.Close()
}

// processLock is a lock that a process holds.
type processLock struct {
	io.Closer
	process *process
	name    string
	closed  sync.Once
}

func (l *processLock) Close() error {
	l.closed.Do(func() { l.process.remove(l.name) })
	return l.Closer.Close()
}

var _ fmt.Stringer = death{}
