// SPDX-License-Identifier: Apache-2.0

package simdisk

import "math/rand/v2"

// Op is a kind of operation on a file.
type Op int

// The operations that can fail.
const (
	OpRead Op = iota
	OpWrite
	OpSync
)

// failure is an error that waits for its operation.
type failure struct {
	op     Op
	torn   *rand.Rand
	onFail func(Effect)
}

// FailNext has the next operation of a kind fail. The process on the disk is
// Dragonboat's, whose answer to any error of a disk is to end itself; so what fails
// is the process: the disk is gone for it from that instant, as for a killed one,
// with all that it wrote. After a Sync that fails, what was not synced is lost, as
// on an operating system that drops such pages; torn draws what of it survives.
//
// onFail is as the onLoss of PowerLossAtSync. The result reports whether the disk is
// mounted. op < 0 disarms; so does the next mount.
func (d *Disk) FailNext(op Op, torn *rand.Rand, onFail func(Effect)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mounted == nil {
		return false
	}
	var armed *failure
	if op >= 0 {
		armed = &failure{op, torn, onFail}
	}
	d.mounted.failing.Store(armed)
	return true
}

// before takes the disk away if an operation of this kind is to fail. The caller
// holds no lock.
func (m *Mount) before(op Op) {
	if f := m.failing.Load(); f == nil || f.op != op {
		return
	}
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.failing.Load() // it may have failed by now
	if f == nil || f.op != op || m.detached {
		return
	}
	m.failing.Store(nil)
	with := keep
	if op == OpSync {
		with = lose(f.torn)
	}
	f.onFail(m.disk.takeLocked(with))
}
