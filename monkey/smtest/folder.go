// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// folderDisk is a folder of the operating system. What a process does to it
// can't be watched; so its death is a copy: what is left of the folder is put
// into a new one, for the next process.
type folderDisk struct {
	base     string
	torn     bool // a power loss takes each file on its own
	present  string
	durable  string // a copy: what a power loss must leave
	versions int
}

func newFolderDisk(base string, torn bool) *folderDisk { return &folderDisk{base: base, torn: torn} }

// folder makes a new folder and returns its path.
func (d *folderDisk) folder() (string, error) {
	d.versions++
	path := filepath.Join(d.base, fmt.Sprintf("v%d", d.versions))
	return path, os.MkdirAll(path, 0o755)
}

func (d *folderDisk) mount() (mount, error) {
	if d.present == "" {
		present, err := d.folder()
		if err != nil {
			return mount{}, err
		}
		durable, err := d.folder()
		if err != nil {
			return mount{}, err
		}
		d.present, d.durable = present, durable
	}
	return mount{dir: d.present}, nil
}

func (d *folderDisk) synced() error {
	durable, err := d.folder()
	if err != nil {
		return err
	}
	d.durable = durable
	return os.CopyFS(durable, os.DirFS(d.present))
}

func (d *folderDisk) end(how death) error {
	next, err := d.folder()
	if err != nil {
		return err
	}
	present := d.present
	d.present = next
	switch torn := how.rand(); {
	case !how.powerLoss:
		return os.CopyFS(next, os.DirFS(present))
	case torn == nil:
		return os.CopyFS(next, os.DirFS(d.durable))
	case d.torn:
		err = tearFiles(next, present, d.durable, torn)
	case torn.IntN(2) == 0:
		err = os.CopyFS(next, os.DirFS(present))
	default:
		err = os.CopyFS(next, os.DirFS(d.durable))
	}
	return errors.Join(err, d.synced()) // what is left now is on disk
}

// tearFiles fills a folder with files that are each as in one of two others:
// what is in only one of these is there or not.
func tearFiles(into, written, durable string, torn *rand.Rand) error {
	names := map[string]bool{}
	for _, folder := range []string{written, durable} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			name, err := filepath.Rel(folder, path)
			names[name] = true
			return err
		})
		if err != nil {
			return err
		}
	}
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	for _, name := range sorted {
		from := written
		if torn.IntN(2) == 0 {
			from = durable
		}
		data, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		to := filepath.Join(into, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, 0o644)); err != nil {
			return err
		}
	}
	return nil
}

// openFiles asks Linux; elsewhere it finds nothing.
func (d *folderDisk) openFiles() []string {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	var open []string
	for _, entry := range entries {
		name, err := os.Readlink(filepath.Join("/proc/self/fd", entry.Name()))
		if err == nil && strings.HasPrefix(name, d.base+string(filepath.Separator)) {
			open = append(open, name)
		}
	}
	return open
}
