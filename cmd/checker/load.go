// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
)

// keepOps is the number of operations up to which a history is held as it
// was read. A bigger key-value history in a file is held in compact form; what
// its explanation needs is read again. What can be read only once (a pipe,
// standard input) is held as it was read, whatever its size.
const keepOps = 200_000

// loaded is a history in memory: as operations, or as a compact log.
type loaded struct {
	path   string
	format history.Format
	model  linear.Model
	ops    []history.Op
	log    *linear.Log
	notes  []string     // what people should know of it
	read   atomic.Int64 // operations, while it is being read
}

func (h *loaded) count() int { return int(h.read.Load()) }

// load reads a history: a file, or the directory of a run. It returns what it
// has, of which only the count may be used if there is an error: after an
// interrupt a read may still go on.
func load(ctx context.Context, o *options, path string, stderr io.Writer) (*loaded, error) {
	h := &loaded{path: path, format: history.Format(o.format)}
	var err error
	if h.model, err = modelByName(o.model); err != nil {
		return h, err
	}
	show := newProgress(o, path, stderr)
	defer show.end()
	st, err := os.Stat(path)
	if path != "-" && err == nil && st.IsDir() {
		return h, patiently(ctx, 0, func() error { return h.readRun() })
	}
	again := path != "-" && err == nil && st.Mode().IsRegular()
	compact := again && linear.Compactable(h.model) && o.convert == ""
	return h, patiently(ctx, 0, func() error { return h.readFile(ctx, compact, show) })
}

func (h *loaded) readFile(ctx context.Context, compact bool, show *progress) error {
	err := h.stream(ctx, func(op *history.Op) error {
		if err := h.model.Validate(op); err != nil {
			return err
		}
		if n := h.read.Add(1); n&0xffff == 0 {
			show.tell(n)
		}
		return h.add(op, compact)
	})
	if err == nil && h.count() == 0 {
		return at(h.path, 0, errors.New("holds no operation"))
	}
	return err
}

// readRun reads the history of a monkey's run, also of one that was killed.
func (h *loaded) readRun() error {
	if h.format != history.Auto && h.format != history.JSONL {
		return at(h.path, 0, fmt.Errorf("is a directory; the history of a run is JSONL, not %s", h.format))
	}
	run, err := history.ReadRun(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		return at(h.path, 0, fmt.Errorf("is a directory, and holds no %s as that of a run does", history.FileName))
	}
	if err != nil {
		return err
	}
	if len(run.Ops) == 0 {
		return at(h.path, 0, errors.New("is a run without an operation"))
	}
	for i := range run.Ops {
		if err := h.model.Validate(&run.Ops[i]); err != nil {
			return at(h.path, 0, fmt.Errorf("operation %d: %w", run.Ops[i].ID, err))
		}
	}
	h.ops = run.Ops
	h.read.Store(int64(len(run.Ops)))
	if run.Truncated {
		h.notes = append(h.notes, fmt.Sprintf("the recording did not end: the last operations may be missing, and %d writes are taken for unknown", run.Open))
	}
	return nil
}

// at says where an input is wrong.
func at(path string, line int, err error) error {
	if err == nil {
		return nil
	}
	return &history.InputError{File: path, Line: line, Err: err}
}

func (h *loaded) add(op *history.Op, compact bool) error {
	if h.log == nil {
		h.ops = append(h.ops, *op)
		if len(h.ops) < keepOps || !compact {
			return nil
		}
		h.log = linear.NewLog()
		for i := range h.ops {
			if err := h.log.Add(&h.ops[i]); err != nil {
				return err
			}
		}
		h.ops = nil
		return nil
	}
	return h.log.Add(op)
}

// all returns every operation.
func (h *loaded) all(ctx context.Context) ([]history.Op, error) {
	if h.log == nil {
		return h.ops, nil
	}
	ops := make([]history.Op, 0, h.log.Len())
	err := h.each(ctx, func(op *history.Op) { ops = append(ops, *op) })
	return ops, err
}

// each reads the operations of a big history again.
func (h *loaded) each(ctx context.Context, do func(*history.Op)) error {
	n := 0
	err := h.stream(ctx, func(op *history.Op) error {
		n++
		do(op)
		return nil
	})
	if err == nil && n != h.log.Len() {
		return at(h.path, 0, fmt.Errorf("had %d operations at first and %d when it was read again: it changed", h.log.Len(), n))
	}
	return err
}

// stream reads the file from its beginning and gives out its operations.
func (h *loaded) stream(ctx context.Context, do func(*history.Op) error) error {
	f, err := history.OpenFile(h.path)
	if err != nil {
		return err
	}
	defer f.Close()
	src, err := history.NewSource(h.path, f, h.format)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if n&0xff == 0 && ctx.Err() != nil {
			return errInterrupted
		}
		op, err := src.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(&op); err != nil {
			return at(h.path, history.LineOf(src), err)
		}
	}
}
