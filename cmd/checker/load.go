// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
)

// keepOps is the number of operations up to which a history is held as it
// was read. A bigger key-value history is held in compact form; what its
// explanation needs is read again.
const keepOps = 200_000

// loaded is a history in memory: as operations, or as a compact log.
type loaded struct {
	path   string
	format history.Format
	ops    []history.Op
	log    *linear.Log
}

func load(o *options, path string, model linear.Model, stderr io.Writer) (*loaded, error) {
	f, err := history.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := &loaded{path: path, format: history.Format(o.format)}
	src, err := history.NewSource(path, f, h.format)
	if err != nil {
		return nil, err
	}
	compactable := linear.Compactable(model) && o.convert == "" && path != "-"
	show := newProgress(o, path, stderr)
	defer show.end()
	var op history.Op
	n := 0
	for ; ; n++ {
		if op, err = src.Next(); err != nil {
			break
		}
		if err = model.Validate(&op); err != nil {
			return nil, at(path, src, err)
		}
		if err = h.add(&op, compactable); err != nil {
			return nil, at(path, src, err)
		}
		if n&0xffff == 0 {
			show.tell(n)
		}
	}
	if err != io.EOF {
		return nil, err
	}
	if n == 0 {
		return nil, &history.InputError{File: path, Err: errors.New("holds no operation")}
	}
	return h, nil
}

// at says where the source is.
func at(path string, src history.Source, err error) error {
	return &history.InputError{File: path, Line: history.LineOf(src), Err: err}
}

func (h *loaded) add(op *history.Op, compactable bool) error {
	if h.log == nil {
		h.ops = append(h.ops, *op)
		if len(h.ops) < keepOps || !compactable {
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

func (h *loaded) check(ctx context.Context, o *options, model linear.Model) (linear.Result, error) {
	opts := linear.Options{Model: model, Engine: o.engine, Timeout: o.timeout, Memory: o.memoryBytes, Certify: o.certify}
	if h.log == nil {
		return linear.Check(ctx, h.ops, opts)
	}
	if h.log.NeedsOps() || o.certify {
		ops, err := h.all()
		if err != nil {
			return linear.Result{}, err
		}
		return linear.Check(ctx, ops, opts)
	}
	res := linear.CheckLog(ctx, h.log, nil, opts)
	if len(res.Core) > 0 {
		if err := h.refetch(ctx, &res, opts); err != nil {
			return linear.Result{}, err
		}
	}
	return res, nil
}

// refetch reads the operations of the key that holds the violation again, to
// explain it with what the compact form does not hold.
func (h *loaded) refetch(ctx context.Context, res *linear.Result, opts linear.Options) error {
	key := res.Core[0].Key
	var ops []history.Op
	err := h.each(func(op history.Op) {
		if op.Key == key {
			ops = append(ops, op)
		}
	})
	if err != nil {
		return err
	}
	again, err := linear.Check(ctx, ops, opts)
	if err == nil && again.Verdict == linear.Violation {
		res.Core, res.Explanation = again.Core, again.Explanation
	}
	return err
}

func (h *loaded) all() ([]history.Op, error) {
	if h.log == nil {
		return h.ops, nil
	}
	ops := make([]history.Op, 0, h.log.Len())
	err := h.each(func(op history.Op) { ops = append(ops, op) })
	return ops, err
}

func (h *loaded) each(do func(history.Op)) error {
	f, err := history.OpenFile(h.path)
	if err != nil {
		return err
	}
	defer f.Close()
	src, err := history.NewSource(h.path, f, h.format)
	if err != nil {
		return err
	}
	for {
		op, err := src.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		do(op)
	}
}

// progress tells on a terminal how far reading is.
type progress struct {
	w     io.Writer
	path  string
	start time.Time
	told  bool
}

func newProgress(o *options, path string, stderr io.Writer) *progress {
	f, ok := stderr.(*os.File)
	if !ok || o.quiet || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{w: stderr, path: path, start: time.Now()}
}

func (p *progress) tell(n int) {
	if p.w == nil || time.Since(p.start) < time.Second {
		return
	}
	p.told = true
	fmt.Fprintf(p.w, "\r%s: %d operations read, %v", p.path, n, time.Since(p.start).Round(time.Second))
}

func (p *progress) end() {
	if p.told {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
