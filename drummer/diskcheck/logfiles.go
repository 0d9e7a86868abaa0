// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/sstable"
	"github.com/lni/dragonboat/v3/config"
)

// mostInFlight is above the number of records of a write-ahead log that are written
// and not yet synced at any time: each of Dragonboat's workers waits for its own to
// be synced, and so does each caller of NodeHost that starts a node. When the power
// is lost any of those may be lost while later ones are not. Behind a record that is
// not valid there can't be as many, unless it was synced.
const mostInFlight = 64

// checkShard looks through the files of one of LogDB's Pebble stores; there may be
// none yet. It reports whether the manifest ends in something that is no record: the
// power was lost while it was written, or its last record has rotted. Then a table
// may be missing, which only a look at all entries shows.
func checkShard(fs config.IFS, dir, walDir string) (torn bool, err error) {
	names, err := fs.List(dir)
	if os.IsNotExist(err) || err == nil && !slices.Contains(names, "CURRENT") {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s can't be listed: %w", dir, err)
	}
	slices.Sort(names)
	if torn, err = checkManifest(fs, dir, names); err != nil {
		return false, err
	}
	if names, err = fs.List(walDir); err != nil {
		return false, fmt.Errorf("%s can't be listed: %w", walDir, err)
	}
	slices.Sort(names)
	for _, name := range names {
		number, isLog := strings.CutSuffix(name, ".log")
		n, err := strconv.ParseUint(number, 10, 64)
		if !isLog || err != nil {
			continue
		}
		if _, err := checkRecords(fs, fs.PathJoin(walDir, name), recordLog{numbered: true, number: uint32(n)}, mostInFlight); err != nil {
			return false, err
		}
	}
	tables, err := openTables(fs, dir, walDir)
	if err != nil {
		return torn, err
	}
	for _, name := range tables {
		if err := checkTable(fs, fs.PathJoin(dir, name)); err != nil {
			return torn, err
		}
	}
	return torn, nil
}

// checkManifest looks through the file that says which tables a store has. Each of
// its records is synced before the next is written.
func checkManifest(fs config.IFS, dir string, names []string) (torn bool, err error) {
	current := fs.PathJoin(dir, "CURRENT")
	text, err := readFile(fs, current)
	if err != nil {
		return false, err
	}
	name := strings.TrimSuffix(string(text), "\n")
	if !slices.Contains(names, name) || !strings.HasPrefix(name, "MANIFEST-") || name == string(text) {
		return false, damaged(current, -1, "it names %q, which is no manifest in this directory", text)
	}
	return checkRecords(fs, fs.PathJoin(dir, name), recordLog{}, 1)
}

// checkRecords reports whether there is something behind the last valid record. It
// is an error when too many valid ones are there for it not to have been synced.
func checkRecords(fs config.IFS, path string, records recordLog, tooMany int) (torn bool, err error) {
	if records.data, err = readFile(fs, path); err != nil {
		return false, err
	}
	end := records.end()
	if behind := records.behind(end); behind >= tooMany {
		return true, damaged(path, int64(end), "the record there is not valid, and %d valid ones are behind it", behind)
	}
	return end < len(records.data), nil
}

func readFile(fs config.IFS, path string) ([]byte, error) {
	file, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, damaged(path, int64(len(data)), "it can't be read: %v", err)
	}
	return data, nil
}

// checkTable reads a table, so that the checksums of its blocks are compared.
func checkTable(fs config.IFS, path string) error {
	file, err := fs.Open(path)
	if err != nil {
		return damaged(path, -1, "it can't be opened: %v", err)
	}
	table, err := sstable.NewReader(file, sstable.ReaderOptions{})
	if err != nil {
		return damaged(path, -1, "%v", err)
	}
	defer func() { _ = table.Close() }()
	points, err := table.NewIter(nil, nil)
	if err != nil {
		return damaged(path, -1, "%v", err)
	}
	for key, _ := points.First(); key != nil; key, _ = points.Next() {
	}
	if err := errors.Join(points.Error(), points.Close()); err != nil {
		return damaged(path, -1, "%v", err)
	}
	deletions, err := table.NewRawRangeDelIter()
	if err != nil {
		return damaged(path, -1, "%v", err)
	}
	if deletions != nil {
		err = errors.Join(deletions.Error(), deletions.Close())
	}
	if err != nil {
		return damaged(path, -1, "%v", err)
	}
	return nil
}
