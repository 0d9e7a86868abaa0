// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
)

// The bugs of toys whose snapshots are external files.
const (
	addsTwice   bug = "adds two files of one ID"
	addsEmpty   bug = "adds an empty file"
	addsFolder  bug = "adds a folder"
	changesFile bug = "changes a file that it has added"
)

// fileToy saves its state in a file that it adds to the snapshot.
type fileToy struct {
	regularToy
	dir   string
	saves int
}

func newFileToy(dir string) func(bug) Machine {
	return func(b bug) Machine {
		return Regular(func(_, node uint64) sm.IStateMachine {
			own, err := os.MkdirTemp(dir, "")
			if err != nil {
				panic(err)
			}
			return &fileToy{regularToy: regularToy{&toy{bug: b, node: node, toyState: newToyState()}}, dir: own}
		})
	}
}

func (t *fileToy) SaveSnapshot(w io.Writer, files sm.ISnapshotFileCollection, stop <-chan struct{}) error {
	name := filepath.Join(t.dir, fmt.Sprint("state-", t.saves))
	if t.bug != changesFile {
		t.saves++
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := t.saveState(t.copied(), file, stop); err != nil {
		return err
	}
	files.AddFile(1, name, []byte("state"))
	switch t.bug {
	case addsTwice:
		files.AddFile(1, name, nil)
	case addsFolder:
		files.AddFile(2, t.dir, nil)
	case addsEmpty:
		empty := name + "-empty"
		if err := os.WriteFile(empty, nil, 0o644); err != nil {
			return err
		}
		files.AddFile(2, empty, nil)
	}
	_, err = w.Write([]byte("see file 1"))
	return err
}

func (t *fileToy) RecoverFromSnapshot(_ io.Reader, files []sm.SnapshotFile, stop <-chan struct{}) error {
	file, err := os.Open(files[0].Filepath)
	if err != nil {
		return err
	}
	defer file.Close()
	return t.regularToy.RecoverFromSnapshot(file, nil, stop)
}

func TestExternalFilesAreHandledAsDragonboatDoes(t *testing.T) {
	c := toyConfig()
	c.Runs = 3
	for b, want := range map[bug]string{
		addsTwice:   "a file of this ID was added before",
		addsEmpty:   "it is empty",
		addsFolder:  "it is a folder",
		changesFile: "The states differ",
	} {
		require.Contains(t, ends(t, newFileToy(t.TempDir())(b), c), want, string(b))
	}
	require.Empty(t, ends(t, newFileToy(t.TempDir())(""), c))
}

// newFolderToy is the on-disk toy in a folder of the operating system.
func newFolderToy(b bug) Machine {
	return OnDiskDir(func(dir string) sm.CreateOnDiskStateMachineFunc {
		return func(_, node uint64) sm.IOnDiskStateMachine {
			return &onDiskToy{&toy{bug: b, node: node, toyState: newToyState()}, vfs.Default, dir}
		}
	})
}

// TestAFolderOfTheOperatingSystemShowsLess: what needs an end in the middle of a
// Sync, or to know what was synced, is not found in a folder.
func TestAFolderOfTheOperatingSystemShowsLess(t *testing.T) {
	if _, err := os.Stat("/dev/shm"); err == nil {
		t.Setenv("TMPDIR", "/dev/shm") // it syncs thousands of times
	}
	for b, found := range map[bug]bool{
		"":              false,
		countsUpdates:   true,
		savesInClose:    true,
		snapshotNoIndex: true,
		indexFirst:      true,
		leavesFileOpen:  true,
		syncsNothing:    false,
		twoFiles:        false,
	} {
		c := toyConfig()
		c.Runs = 4
		require.Equal(t, found, ends(t, newFolderToy(b), c) != "", string(b))
	}
}

// TestTornFilesShowFilesThatDependOnEachOther: a power loss that takes one of
// two files back.
func TestTornFilesShowFilesThatDependOnEachOther(t *testing.T) {
	written, durable := t.TempDir(), t.TempDir()
	write := func(dir, name, content string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	write(durable, "a", "old a")
	write(durable, "gone", "gone")
	write(written, "a", "new a")
	write(written, "sub/b", "new b")
	seen := map[string]bool{}
	for seed := range uint64(64) {
		into := t.TempDir()
		require.NoError(t, tearFiles(into, written, durable, death{powerLoss: true, torn: seed + 1}.rand()))
		a, err := os.ReadFile(filepath.Join(into, "a"))
		require.NoError(t, err, "it is in both")
		b, _ := os.ReadFile(filepath.Join(into, "sub/b"))
		gone, _ := os.ReadFile(filepath.Join(into, "gone"))
		seen[fmt.Sprintf("%s|%s|%s", a, b, gone)] = true
	}
	require.Len(t, seen, 8, "every combination of files comes up")
}
