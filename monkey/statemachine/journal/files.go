// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/lni/goutils/vfs"
)

// The beginnings of file names; the rest is the generation.
const (
	checkpointFile = "checkpoint-"
	unnamedFile    = "new-checkpoint-" // a checkpoint that is being written
	logFile        = "log-"
)

func (j *Journal) path(kind string, generation uint64) string {
	return j.fs.PathJoin(j.dir, kind+strconv.FormatUint(generation, 10))
}

// contents is what is in the folder of a journal.
type contents struct {
	names  []string
	newest uint64 // the newest generation with a named checkpoint; 0: none
}

func survey(fs vfs.FS, dir string) (contents, error) {
	names, err := fs.List(dir)
	if err != nil {
		return contents{}, fmt.Errorf("cannot list folder %s: %w", dir, err)
	}
	found := contents{names: names}
	for _, name := range names {
		digits, isCheckpoint := strings.CutPrefix(name, checkpointFile)
		generation, err := strconv.ParseUint(digits, 10, 64)
		if isCheckpoint && err == nil {
			found.newest = max(found.newest, generation)
		}
	}
	return found, nil
}

// removeStale removes all files that are not of the given generation: what a
// death between two steps of Restart left.
func (c contents) removeStale(fs vfs.FS, dir string, generation uint64) error {
	suffix := strconv.FormatUint(generation, 10)
	for _, name := range c.names {
		if name == checkpointFile+suffix || name == logFile+suffix {
			continue
		}
		if !strings.HasPrefix(name, checkpointFile) && !strings.HasPrefix(name, unnamedFile) && !strings.HasPrefix(name, logFile) {
			continue
		}
		if err := fs.Remove(fs.PathJoin(dir, name)); err != nil {
			return fmt.Errorf("cannot remove the stale file %s: %w", fs.PathJoin(dir, name), err)
		}
	}
	return nil
}

// Remove removes the folder of a journal that is not open, or any other, if there is one. When it
// returns nil no loss of power brings the folder back, also if an earlier Remove was
// cut short before it could say so.
func Remove(fs vfs.FS, dir string) error {
	if err := fs.RemoveAll(dir); err != nil {
		return fmt.Errorf("cannot remove folder %s: %w", dir, err)
	}
	if err := syncDir(fs, fs.PathDir(dir)); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// writeFile creates a file with what save writes, on disk when it returns.
func writeFile(fs vfs.FS, name string, save func(io.Writer) error) (size int64, err error) {
	file, err := fs.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() {
		if closeErr := file.Close(); err == nil {
			err = closeErr
		}
	}()
	counter := &countingWriter{w: file}
	if err := save(counter); err != nil {
		return 0, err
	}
	return counter.written, file.Sync()
}

type countingWriter struct {
	w       io.Writer
	written int64
}

func (c *countingWriter) Write(data []byte) (int, error) {
	n, err := c.w.Write(data)
	c.written += int64(n)
	return n, err
}

// syncPath puts the names in a folder on disk, and its own name, and those of
// the folders above it: an earlier death may have left any of them in memory
// only. Folders above it that may not be read were there before us.
func syncPath(fs vfs.FS, dir string) error {
	if err := syncDir(fs, dir); err != nil {
		return err
	}
	for parent := fs.PathDir(dir); parent != dir; dir, parent = parent, fs.PathDir(parent) {
		if err := syncDir(fs, parent); err != nil && !errors.Is(err, os.ErrPermission) {
			return err
		}
	}
	return nil
}

func syncDir(fs vfs.FS, dir string) error {
	folder, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	if err := folder.Sync(); err != nil {
		folder.Close()
		return err
	}
	return folder.Close()
}
