// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

var errPower = errors.New("the power is out")

// limitedFS lets a number of changes through to the disk, and refuses all that
// follow.
type limitedFS struct {
	vfs.FS
	left int
}

func (m *limitedFS) allow() error {
	if m.left--; m.left < 0 {
		return errPower
	}
	return nil
}

func (m *limitedFS) Create(name string) (vfs.File, error) {
	return m.file(func() (vfs.File, error) { return m.FS.Create(name) })
}

func (m *limitedFS) OpenDir(name string) (vfs.File, error) {
	return m.file(func() (vfs.File, error) { return m.FS.OpenDir(name) })
}

func (m *limitedFS) OpenForAppend(name string) (vfs.File, error) {
	return m.file(func() (vfs.File, error) { return m.FS.OpenForAppend(name) })
}

func (m *limitedFS) file(open func() (vfs.File, error)) (vfs.File, error) {
	if err := m.allow(); err != nil {
		return nil, err
	}
	file, err := open()
	return &limitedFile{file, m}, err
}

func (m *limitedFS) Remove(name string) error {
	if err := m.allow(); err != nil {
		return err
	}
	return m.FS.Remove(name)
}

func (m *limitedFS) Rename(from, to string) error {
	if err := m.allow(); err != nil {
		return err
	}
	return m.FS.Rename(from, to)
}

func (m *limitedFS) MkdirAll(dir string, perm os.FileMode) error {
	if err := m.allow(); err != nil {
		return err
	}
	return m.FS.MkdirAll(dir, perm)
}

type limitedFile struct {
	vfs.File
	fs *limitedFS
}

func (f *limitedFile) Write(data []byte) (int, error) {
	if err := f.fs.allow(); err != nil {
		n, _ := f.File.Write(data[:len(data)/2]) // torn
		return n, err
	}
	return f.File.Write(data)
}

func (f *limitedFile) Sync() error {
	if err := f.fs.allow(); err != nil {
		return err
	}
	return f.File.Sync()
}

// node is an on-disk state machine on a disk that outlives it, and what a
// correct one may remember.
type node struct {
	disk    *vfs.MemFS
	fs      *limitedFS
	machine sm.IOnDiskStateMachine
	index   uint64 // of the last update that was answered
	synced  uint64 // of the last one that must survive a loss of power
	digests map[uint64]kv.Digest
	options []DiskOption
}

func newNode() *node {
	return &node{disk: vfs.NewStrictMem(), digests: map[uint64]kv.Digest{0: {}}}
}

// boot opens the state machine with power for a number of changes to the disk.
func (n *node) boot(changes int) error {
	n.end()
	n.fs = &limitedFS{FS: n.disk, left: changes}
	n.machine = OnDisk(n.fs, "/data/kv", Correct, n.options...)(1, 1)
	index, err := n.machine.Open(nil)
	if err != nil {
		return err
	}
	if index < n.synced || index > n.index {
		return fmt.Errorf("it remembers the updates up to %d, it was promised %d and given %d", index, n.synced, n.index)
	}
	n.index, n.synced = index, index
	return n.check()
}

func (n *node) check() error {
	answer, err := n.machine.Lookup(kv.DigestQuery())
	if err != nil {
		return err
	}
	if got, err := kv.DecodeDigest(answer.([]byte)); err != nil || got != n.digests[n.index] {
		return fmt.Errorf("its state is %+v, expected %+v (%v)", got, n.digests[n.index], err)
	}
	return nil
}

// update applies the entries behind the last one. What entry index holds
// depends on index alone.
func (n *node) update(count int) error {
	reference := kv.New()
	for i := uint64(1); i <= n.index+uint64(count); i++ {
		reference.Apply(i, command(i))
		n.digests[i] = reference.Digest()
	}
	var entries []sm.Entry
	for i := range count {
		index := n.index + uint64(i) + 1
		entries = append(entries, sm.Entry{Index: index, Cmd: command(index)})
	}
	n.index += uint64(count) // written, perhaps, also when the power goes
	if _, err := n.machine.Update(entries); err != nil {
		return err
	}
	return n.check()
}

func command(index uint64) []byte {
	return kv.Command{Op: kv.Append, Key: fmt.Sprint("k", index%7), Value: kv.Some("0123456789"), Writer: fmt.Sprint("w", index)}.Encode()
}

func (n *node) sync() error {
	if err := n.machine.Sync(); err != nil {
		return err
	}
	n.synced = n.index
	return nil
}

// receive restores the snapshot of a replica that is some updates ahead.
func (n *node) receive(ahead uint64) error {
	reference := kv.New()
	for i := uint64(1); i <= n.index+ahead; i++ {
		reference.Apply(i, command(i))
		n.digests[i] = reference.Digest()
	}
	var image bytes.Buffer
	if _, err := reference.Image().WriteTo(&image); err != nil {
		return err
	}
	n.index += ahead
	if err := n.machine.RecoverFromSnapshot(&image, nil); err != nil {
		return err
	}
	if len(n.options) == 0 { // a lazy one waits for Sync
		n.synced = n.index
	}
	return n.check()
}

// losePower drops what is not on disk.
// end closes what is open: the dead hold no files open.
func (n *node) end() {
	if n.machine != nil {
		_ = n.machine.Close()
		n.machine = nil
	}
}

func (n *node) losePower() {
	n.disk.SetIgnoreSyncs(true)
	n.end()
	n.disk.ResetToSyncedState()
	n.disk.SetIgnoreSyncs(false)
}

const plenty = 1 << 30

// TestOnDiskSurvivesPowerLossAnywhere takes the power away after each change to
// the disk, in a run with every kind of event.
func TestOnDiskSurvivesPowerLossAnywhere(t *testing.T) {
	events := []func(*node) error{
		func(n *node) error { return n.update(3) },
		(*node).sync,
		func(n *node) error { return n.update(1) },
		func(n *node) error { return n.receive(5) },
		func(n *node) error { return n.update(2500) }, // makes the log long
		(*node).sync,
		func(n *node) error { return n.update(2) },
		(*node).sync,
		func(n *node) error { return n.update(2) },
	}
	for _, power := range []bool{false, true} {
		changes := 0
		for ended := false; !ended; changes++ {
			n := newNode()
			err := n.boot(changes)
			for i := 0; i < len(events) && err == nil; i++ {
				err = events[i](n)
			}
			ended = err == nil
			if err != nil {
				require.ErrorIs(t, err, errPower, "after %d changes", changes)
			}
			if power {
				n.losePower()
			}
			require.NoError(t, n.boot(plenty), "after %d changes, power loss %v", changes, power)
			require.NoError(t, n.update(3))
			require.NoError(t, n.sync())
			n.losePower()
			require.NoError(t, n.boot(plenty), "after %d changes and a new start", changes)
		}
		require.Greater(t, changes, 40)
	}
}

// TestOnDiskSurvivesRandomCrashes draws what happens and when the process or the
// power ends.
func TestOnDiskSurvivesRandomCrashes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := newNode()
		if rapid.Bool().Draw(t, "lazy") {
			n.options = append(n.options, Lazy)
		}
		for range rapid.IntRange(1, 6).Draw(t, "starts") {
			err := n.boot(rapid.IntRange(0, 60).Draw(t, "changes"))
			for err == nil {
				switch rapid.IntRange(0, 4).Draw(t, "event") {
				case 0:
					err = n.receive(uint64(rapid.IntRange(1, 5).Draw(t, "ahead")))
				case 1:
					err = n.sync()
				default:
					err = n.update(rapid.IntRange(1, 30).Draw(t, "updates"))
				}
			}
			if !errors.Is(err, errPower) {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "power loss") {
				n.losePower()
			}
		}
		if err := n.boot(plenty); err != nil {
			t.Fatal(err)
		}
	})
}

// TestLazyOpensWhereItWasSynced ends a lazy state machine in each of the ways, a long
// way behind its last Sync.
func TestLazyOpensWhereItWasSynced(t *testing.T) {
	for name, end := range map[string]func(*node){"stop": (*node).end, "power loss": (*node).losePower} {
		t.Run(name, func(t *testing.T) {
			n := newNode()
			n.options = append(n.options, Lazy)
			require.NoError(t, n.boot(plenty))
			require.NoError(t, n.update(40))
			require.NoError(t, n.sync())
			require.NoError(t, n.update(500))
			end(n)
			require.NoError(t, n.boot(plenty))
			require.EqualValues(t, 40, n.index)
			require.NoError(t, n.update(500), "the entries come again")

			require.NoError(t, n.receive(5))
			end(n)
			require.NoError(t, n.boot(plenty))
			require.EqualValues(t, 40, n.index, "a snapshot, too, waits to be synced")

			require.NoError(t, n.receive(5))
			require.NoError(t, n.update(10))
			require.NoError(t, n.sync())
			require.NoError(t, n.update(10))
			end(n)
			require.NoError(t, n.boot(plenty))
			require.EqualValues(t, 55, n.index)
		})
	}
}
