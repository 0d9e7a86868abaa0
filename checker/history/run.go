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
	path := filepath.Join(dir, FileName)
	f, err := os.Open(path)
	if err != nil {
		return nil, &InputError{File: path, Err: plainPathError(err)}
	}
	run := &Run{}
	if st, err := f.Stat(); err == nil && st.Size() == 0 {
		run.Truncated = true
		f.Close()
	} else if err := run.readFinished(path, f); err != nil {
		return nil, err
	}
	path = filepath.Join(dir, PendingName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return run, nil
	}
	if err != nil {
		return nil, err
	}
	if err := run.readPending(path, b); err != nil {
		return nil, err
	}
	return run, nil
}

// readFinished reads the stream of finished operations, and closes it.
func (run *Run) readFinished(path string, f io.ReadCloser) error {
	in, err := unpack(path, f)
	if err != nil {
		return err
	}
	defer in.Close()
	return run.read(path, in, func(op *Op) { run.Ops = append(run.Ops, op.Clone()) })
}

// read reads operations, one a line. An input that is cut short is read up to
// the cut.
func (run *Run) read(path string, in io.Reader, do func(*Op)) error {
	var wrong mistakes
	l := newLines(path, in, 0)
	for {
		line, err := l.next()
		if errors.Is(err, errCut) {
			// What stands before the cut is whole lines, but for the one that
			// the error came with.
			run.Truncated = true
			err = io.EOF
		}
		if err == io.EOF {
			return wrong.err()
		}
		var op Op
		if err == nil {
			if err = parseLine(line, &op); err == nil {
				do(&op)
				continue
			}
			err = l.wrap(err)
		}
		if err := wrong.add(err); err != nil {
			return err
		}
	}
}

// readPending reads the writes that were noted before they were sent.
func (run *Run) readPending(path string, b []byte) error {
	run.Truncated = true
	// A last line without its newline was being written when the process
	// died: its operation was not sent yet.
	b = b[:bytes.LastIndexByte(b, '\n')+1]
	finished := make(map[uint64]bool, len(run.Ops))
	for i := range run.Ops {
		finished[run.Ops[i].ID] = true
	}
	return run.read(path, bytes.NewReader(b), func(op *Op) {
		if !finished[op.ID] {
			run.Open++
			run.Ops = append(run.Ops, op.Clone())
		}
	})
}
