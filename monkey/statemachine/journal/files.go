// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"fmt"
	"io"
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
		if _, err := fs.Stat(fs.PathJoin(dir, name)); err != nil {
			continue // Restart took its place
		}
		if err := fs.Remove(fs.PathJoin(dir, name)); err != nil {
			return fmt.Errorf("cannot remove the stale file %s: %w", fs.PathJoin(dir, name), err)
		}
	}
	return nil
}

// Remove removes the folder of a journal that is not open, if there is one.
func Remove(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); err != nil {
		return nil
	}
	if err := fs.RemoveAll(dir); err != nil {
		return fmt.Errorf("cannot remove folder %s: %w", dir, err)
	}
	return syncDir(fs, fs.PathDir(dir))
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

// mkdirAll creates a folder, and those above it, so that they survive a loss
// of power.
func mkdirAll(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); err == nil {
		return nil
	}
	parent := fs.PathDir(dir)
	if parent != dir {
		if err := mkdirAll(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return syncDir(fs, parent)
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
