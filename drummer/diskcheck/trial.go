// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"slices"

	"github.com/cockroachdb/pebble"
	pebblevfs "github.com/cockroachdb/pebble/vfs"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/goutils/vfs"
)

// openTables opens a store without changing it, and returns the names of the tables
// that it has, in order. A table that no manifest names is none of them: the power was
// lost while it was written, and Pebble deletes it. What Pebble can't make sense of ends
// the start here: behind a store that Dragonboat failed to open it leaves a cache whose
// finalizer ends the process.
func openTables(fs config.IFS, dir, walDir string) ([]string, error) {
	cache := pebble.NewCache(0)
	defer cache.Unref()
	store, err := pebble.Open(dir, &pebble.Options{ReadOnly: true, WALDir: walDir, FS: pebbleFS{fs}, Cache: cache, Logger: silent{}})
	if err != nil {
		return nil, damaged(dir, -1, "it can't be opened: %v", err)
	}
	var names []string
	for _, level := range store.SSTables() {
		for _, table := range level {
			names = append(names, table.FileNum.String()+".sst")
		}
	}
	if err := store.Close(); err != nil {
		return nil, damaged(dir, -1, "it can't be closed: %v", err)
	}
	slices.Sort(names)
	return names, nil
}

// pebbleFS is a NodeHost's file system in Pebble's types.
type pebbleFS struct{ vfs.FS }

func (fs pebbleFS) Create(name string) (pebblevfs.File, error) { return fs.FS.Create(name) }

func (fs pebbleFS) Open(name string, _ ...pebblevfs.OpenOption) (pebblevfs.File, error) {
	return fs.FS.Open(name)
}

func (fs pebbleFS) OpenDir(name string) (pebblevfs.File, error) { return fs.FS.OpenDir(name) }

func (fs pebbleFS) ReuseForWrite(oldname, newname string) (pebblevfs.File, error) {
	return fs.FS.ReuseForWrite(oldname, newname)
}

// silent is a logger for what the errors say too.
type silent struct{}

func (silent) Infof(string, ...any)              {}
func (silent) Fatalf(format string, args ...any) { panic(damaged("the log", -1, format, args...)) }
