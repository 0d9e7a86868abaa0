// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"github.com/cockroachdb/pebble"
	pebblevfs "github.com/cockroachdb/pebble/vfs"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/goutils/vfs"
)

// checkOpens opens a store without changing it. What Pebble can't make sense of ends
// the start here: behind a store that Dragonboat failed to open it leaves a cache
// whose finalizer ends the process.
func checkOpens(fs config.IFS, dir, walDir string) error {
	cache := pebble.NewCache(0)
	defer cache.Unref()
	store, err := pebble.Open(dir, &pebble.Options{ReadOnly: true, WALDir: walDir, FS: pebbleFS{fs}, Cache: cache, Logger: silent{}})
	if err == nil {
		err = store.Close()
	}
	if err != nil {
		return damaged(dir, -1, "it can't be opened: %v", err)
	}
	return nil
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
