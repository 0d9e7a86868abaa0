// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/lni/goutils/vfs"
)

// Recovery is how Open brings the state back.
type Recovery struct {
	// Load takes over the state of a checkpoint, which Save wrote.
	Load func(io.Reader) error
	// Replay carries out an update again.
	Replay func(index uint64, update []byte)
	// Save writes the state as it is.
	Save func(io.Writer) error
}

// Journal is an open journal. Its methods must not be called at the same time.
type Journal struct {
	fs         vfs.FS
	dir        string
	generation uint64
	log        vfs.File
	logBytes   int64
	baseBytes  int64 // size of the checkpoint
	added      []byte
}

// minRestartBytes is the least size of the log at which it is long.
const minRestartBytes = 64 << 10

// Open brings back the state that is in dir, which it creates when needed, and
// opens the journal for more. All that it brought back is on disk, also what
// had been written but not synced.
func Open(fs vfs.FS, dir string, recovery Recovery) (*Journal, error) {
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot create folder %s: %w", dir, err)
	}
	if err := syncPath(fs, dir); err != nil {
		return nil, fmt.Errorf("cannot sync folder %s: %w", dir, err)
	}
	j := &Journal{fs: fs, dir: dir}
	if err := j.open(recovery); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

func (j *Journal) open(recovery Recovery) error {
	files, err := survey(j.fs, j.dir)
	if err != nil {
		return err
	}
	j.generation = files.newest
	whole := false
	if files.newest > 0 {
		if whole, err = j.recover(recovery); err != nil {
			return err
		}
	}
	if err := files.removeStale(j.fs, j.dir, j.generation); err != nil {
		return err
	}
	if whole {
		return j.reopenLog()
	}
	// There is no log yet, or nothing may be appended behind its torn end.
	return j.Restart(recovery.Save)
}

// recover loads the checkpoint and replays the log. It reports whether the
// log ends with a whole record.
func (j *Journal) recover(recovery Recovery) (whole bool, err error) {
	if err := j.loadCheckpoint(recovery.Load); err != nil {
		return false, err
	}
	name := j.path(logFile, j.generation)
	log, err := j.fs.Open(name)
	if err != nil {
		return false, fmt.Errorf("cannot open log %s: %w", name, err)
	}
	defer log.Close()
	in := recordReader{in: bufio.NewReader(log)}
	for {
		index, update, ok := in.next()
		if !ok {
			break
		}
		recovery.Replay(index, update)
	}
	j.logBytes = in.good
	return in.atEnd, in.err
}

func (j *Journal) loadCheckpoint(load func(io.Reader) error) error {
	name := j.path(checkpointFile, j.generation)
	file, err := j.fs.Open(name)
	if err != nil {
		return fmt.Errorf("cannot open checkpoint %s: %w", name, err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil {
		j.baseBytes = info.Size()
	}
	if err := load(file); err != nil {
		return fmt.Errorf("cannot load checkpoint %s: %w", name, err)
	}
	return nil
}

// reopenLog opens the log for more, and puts on disk what is in it.
func (j *Journal) reopenLog() error {
	name := j.path(logFile, j.generation)
	log, err := j.fs.OpenForAppend(name)
	if err != nil {
		return fmt.Errorf("cannot open log %s: %w", name, err)
	}
	j.log = log
	return j.Sync()
}

// Add puts an update behind those that the next Write writes.
func (j *Journal) Add(index uint64, update []byte) {
	j.added = appendRecord(j.added, index, update)
}

// Write hands what was added to the file system. It survives the death of the
// process then, and the loss of power after the next Sync.
func (j *Journal) Write() error {
	if len(j.added) == 0 {
		return nil
	}
	n, err := j.log.Write(j.added)
	j.logBytes += int64(n)
	j.added = j.added[:0]
	if err != nil {
		return fmt.Errorf("cannot write log %s: %w", j.path(logFile, j.generation), err)
	}
	return nil
}

// Sync puts all that was written on disk.
func (j *Journal) Sync() error {
	if err := j.log.Sync(); err != nil {
		return fmt.Errorf("cannot sync log %s: %w", j.path(logFile, j.generation), err)
	}
	return nil
}

// IsLong reports whether a Restart would make the journal much smaller.
func (j *Journal) IsLong() bool {
	return j.logBytes > max(minRestartBytes, 2*j.baseBytes)
}

// Restart begins a new generation with the state that save writes, in place of
// all updates so far. The state is on disk when it returns.
func (j *Journal) Restart(save func(io.Writer) error) error {
	next, err := j.begin(j.generation+1, save)
	if err != nil {
		return fmt.Errorf("cannot begin generation %d of the journal in %s: %w", j.generation+1, j.dir, err)
	}
	old := j.generation
	if err := j.Close(); err != nil {
		return err
	}
	*j = *next
	if old == 0 {
		return nil
	}
	if err := j.fs.Remove(j.path(checkpointFile, old)); err != nil {
		return fmt.Errorf("cannot remove an old checkpoint: %w", err)
	}
	if err := j.fs.Remove(j.path(logFile, old)); err != nil {
		return fmt.Errorf("cannot remove an old log: %w", err)
	}
	return nil
}

// begin writes the files of a generation. Its checkpoint gets its name last.
func (j *Journal) begin(generation uint64, save func(io.Writer) error) (*Journal, error) {
	next := &Journal{fs: j.fs, dir: j.dir, generation: generation}
	unnamed := next.path(unnamedFile, generation)
	size, err := writeFile(j.fs, unnamed, save)
	if err != nil {
		return nil, err
	}
	next.baseBytes = size
	log, err := j.fs.Create(next.path(logFile, generation))
	if err != nil {
		return nil, err
	}
	next.log = log
	if err := next.name(unnamed); err != nil {
		log.Close()
		return nil, err
	}
	return next, nil
}

// name puts the new log and the folder on disk, and names the checkpoint.
func (j *Journal) name(unnamed string) error {
	if err := j.log.Sync(); err != nil {
		return err
	}
	if err := syncDir(j.fs, j.dir); err != nil {
		return err
	}
	if err := j.fs.Rename(unnamed, j.path(checkpointFile, j.generation)); err != nil {
		return err
	}
	return syncDir(j.fs, j.dir)
}

// Close closes the log. What was not synced may be lost with the power.
func (j *Journal) Close() error {
	if j.log == nil {
		return nil
	}
	log := j.log
	j.log = nil
	if err := log.Close(); err != nil {
		return fmt.Errorf("cannot close log %s: %w", j.path(logFile, j.generation), err)
	}
	return nil
}
