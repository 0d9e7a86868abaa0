// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/drumbeat-raft/drumbeat/checker"
	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// output is standard output. It remembers its first error, which counts once
// everything that can be said was said.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil && o.err == nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		o.err = &history.OutputError{File: "standard output", Err: err}
	}
	return n, err
}

// convert writes a history in another format.
func convert(ctx context.Context, o *options, h *checker.History) error {
	ops, err := h.Ops(ctx)
	if err != nil {
		return err
	}
	err = history.WriteFile(o.output, func(w io.Writer) error {
		return history.Write(w, ops, history.Format(o.convert))
	})
	if err != nil {
		return fmt.Errorf("%s as %s: %w", h.Path, o.convert, err)
	}
	return nil
}

// keepInput refuses to write over what is to be read.
func (o *options) keepInput(path string) error {
	inputs := []string{path, filepath.Join(path, history.FileName), filepath.Join(path, history.PendingName)}
	for _, to := range []struct{ flag, path string }{{"--viz", o.viz}, {"--output", o.output}} {
		if to.path == "" || to.path == "-" {
			continue
		}
		there, err := os.Stat(to.path)
		if err != nil || !there.Mode().IsRegular() {
			continue
		}
		for _, in := range inputs {
			if here, err := stat(in); err == nil && os.SameFile(here, there) {
				return fmt.Errorf("%s %s would write over the history itself; name another file", to.flag, to.path)
			}
		}
	}
	return nil
}

func stat(path string) (os.FileInfo, error) {
	if path == "-" {
		return os.Stdin.Stat()
	}
	return os.Stat(path)
}
