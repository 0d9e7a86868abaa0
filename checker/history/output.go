// SPDX-License-Identifier: Apache-2.0

package history

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// OutputError says which file can't be written, and why.
type OutputError struct {
	File string
	Err  error
}

// Error returns FILE: why it can't be written.
func (e *OutputError) Error() string { return fmt.Sprintf("%s can't be written: %v", e.File, e.Err) }

// Unwrap returns the reason without the file.
func (e *OutputError) Unwrap() error { return e.Err }

// WriteFile writes what fill writes into a file, packed by the end of its name
// (.gz or .zst); "-" is standard output. The file appears whole or not at all:
// it is written beside its place, under another name, and then renamed. What
// is no regular file (a pipe, a terminal) is written as it is.
//
// An error of fill is returned as it is, an error of the file as an
// *OutputError.
func WriteFile(path string, fill func(io.Writer) error) error {
	if path == "-" {
		return writeTo("standard output", os.Stdout, "", fill)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	st, err := os.Stat(path)
	switch {
	case err == nil && st.Mode().IsRegular():
		return replace(path, st.Mode().Perm(), fill)
	case errors.Is(err, fs.ErrNotExist):
		return replace(path, 0, fill)
	case err != nil:
		return &OutputError{path, plainPathError(err)}
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return &OutputError{path, plainPathError(err)}
	}
	return errors.Join(writeTo(path, f, path, fill), f.Close())
}

// replace writes a new file beside the path and renames it. A mode of 0 means
// the mode that a new file gets.
func replace(path string, mode fs.FileMode, fill func(io.Writer) error) error {
	f, err := createBeside(path)
	if err != nil {
		return &OutputError{path, plainPathError(err)}
	}
	err = writeTo(path, f, path, fill)
	if err == nil && mode != 0 {
		err = outputError(path, f.Chmod(mode))
	}
	if closed := f.Close(); err == nil {
		err = outputError(path, closed)
	}
	if err == nil {
		err = outputError(path, os.Rename(f.Name(), path))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// createBeside creates a file of a fresh name in the directory of a path. Other
// than os.CreateTemp it leaves the mode to the process, as for any new file.
func createBeside(path string) (*os.File, error) {
	for i := range 1000 {
		f, err := os.OpenFile(fmt.Sprintf("%s.new%d", path, i), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return nil, fmt.Errorf("1000 files beside it have names such as %s.new0; remove them", filepath.Base(path))
}

func outputError(path string, err error) error {
	if err == nil {
		return nil
	}
	return &OutputError{path, plainPathError(err)}
}

// writeTo packs what fill writes by the end of a name.
func writeTo(path string, f io.Writer, name string, fill func(io.Writer) error) error {
	w := &watched{w: f}
	packed := io.WriteCloser(w)
	switch {
	case strings.HasSuffix(name, ".gz"):
		packed = gzip.NewWriter(w)
	case strings.HasSuffix(name, ".zst"):
		zw, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return &OutputError{path, err}
		}
		packed = zw
	}
	err := fill(packed)
	closed := packed.Close()
	switch {
	case w.err != nil:
		return outputError(path, w.err)
	case err != nil:
		return err
	}
	return outputError(path, closed)
}

// watched remembers the first error of the file itself.
type watched struct {
	w   io.Writer
	err error
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.w.Write(b)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}

func (w *watched) Close() error { return nil }
