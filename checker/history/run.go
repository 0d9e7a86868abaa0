// SPDX-License-Identifier: Apache-2.0

package history

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Run is the history of a recorded run.
type Run struct {
	Ops []Op
	// Truncated says that the recording process did not end its recording:
	// the last operations may be missing, reads among them unnoticed, and
	// writes are there as of unknown outcome.
	Truncated bool
	// Open counts the writes that were found in the pending file only.
	Open int
}

// ReadRun reads the history that a Recorder left in dir, whether the recorder
// was closed or killed. What a killed one could not write is read soundly: a
// write without a recorded end is of unknown outcome.
func ReadRun(dir string) (*Run, error) {
	run := &Run{}
	if err := run.readFinished(filepath.Join(dir, FileName)); err != nil {
		return nil, err
	}
	err := run.readPending(filepath.Join(dir, PendingName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return run, nil
}

func (run *Run) readFinished(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return &InputError{File: path, Err: plainPathError(err)}
	}
	if st, err := f.Stat(); err == nil && st.Size() == 0 {
		run.Truncated = true
		return f.Close()
	}
	in, err := unpack(path, f)
	if err != nil {
		return err
	}
	defer in.Close()
	l := newLines(path, in)
	for {
		line, err := l.next()
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, errCut) {
			// What stands before the cut is whole lines, but for the one that
			// the error came with.
			run.Truncated = true
			return nil
		}
		if err != nil {
			return err
		}
		op, err := ParseJSON(line)
		if err != nil {
			return l.wrap(err)
		}
		run.Ops = append(run.Ops, op)
	}
}

func (run *Run) readPending(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	run.Truncated = true
	// A last line without its newline was being written when the process
	// died: its operation was not sent yet.
	b = b[:bytes.LastIndexByte(b, '\n')+1]
	finished := make(map[uint64]bool, len(run.Ops))
	for i := range run.Ops {
		finished[run.Ops[i].ID] = true
	}
	l := newLines(path, bytes.NewReader(b))
	for {
		line, err := l.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		op, err := ParseJSON(line)
		if err != nil {
			return l.wrap(err)
		}
		if !finished[op.ID] {
			run.Open++
			run.Ops = append(run.Ops, op)
		}
	}
}
