// SPDX-License-Identifier: Apache-2.0

package checker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

const (
	// compactBytes and keepOps are the size of a file and the number of
	// operations from which a key-value history is held in compact form; what
	// its explanation needs is read again. What can be read only once (a pipe,
	// standard input) is held as it was read, whatever its size.
	compactBytes = 8 << 20
	keepOps      = 200_000
	// progressOps is the number of operations of a part between two calls of
	// Progress.
	progressOps = 1 << 12
)

// Options say how a history is loaded. The zero value is the default.
type Options struct {
	// Format defaults to history.Auto.
	Format history.Format
	// Model is the one by which the history will be judged: an operation that
	// it does not know is a mistake of the input. It defaults to model.Auto.
	Model model.Model
	// Whole holds the operations as they were read, whatever their number.
	Whole bool
	// Progress, if not nil, is told now and then how many operations were
	// read, from any goroutine.
	Progress func(ops int64)
}

// History is a history in memory: as operations, or in compact form. It is
// safe for concurrent use.
type History struct {
	// Path is where it was read.
	Path string
	// Model is the one that it was loaded for.
	Model model.Model
	// Notes say for people what its reader should know of it.
	Notes  []string
	format history.Format
	ops    []history.Op
	log    *keylog.Log // nil if ops are held
}

// Load reads a history: a file, "-" for standard input, or the directory of a
// run. The error lists every mistake of the input (see history.ReadParts).
func Load(ctx context.Context, path string, o Options) (*History, error) {
	h := &History{Path: path, Model: o.Model, format: o.Format}
	if h.Model == nil {
		h.Model = model.Auto
	}
	if h.format == "" {
		h.format = history.Auto
	}
	st, err := os.Stat(path)
	if path != "-" && err == nil && st.IsDir() {
		return h, h.loadRun(o)
	}
	l := &loader{Options: o, model: h.Model, keep: -1}
	if path != "-" && err == nil && st.Mode().IsRegular() && model.IsKeyValue(h.Model) && !o.Whole {
		l.keep = keepOps
		if st.Size() >= compactBytes {
			l.keep = 0
		}
	}
	err = history.ReadParts(ctx, path, h.format, l.begin)
	l.reportAll()
	if err != nil {
		return h, err
	}
	if h.ops, h.log, err = l.join(); err != nil {
		return h, &history.InputError{File: path, Err: err}
	}
	if h.Len() == 0 {
		return h, &history.InputError{File: path, Err: errors.New("holds no operation")}
	}
	return h, nil
}

// loadRun reads the history of a monkey's run, also of one that was killed.
func (h *History) loadRun(o Options) error {
	in := func(err error) error { return &history.InputError{File: h.Path, Err: err} }
	if h.format != history.Auto && h.format != history.JSONL {
		return in(fmt.Errorf("is a directory; the history of a run is JSONL, not %s", h.format))
	}
	run, err := history.ReadRun(h.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return in(fmt.Errorf("is a directory, and holds no %s as that of a run does", history.FileName))
	case err != nil:
		return err
	case len(run.Ops) == 0:
		return in(errors.New("is a run without an operation"))
	}
	for i := range run.Ops {
		if err := h.Model.Validate(&run.Ops[i]); err != nil {
			return in(fmt.Errorf("operation %d: %w", run.Ops[i].ID, err))
		}
	}
	h.ops = run.Ops
	if o.Progress != nil {
		o.Progress(int64(len(h.ops)))
	}
	if run.Truncated {
		h.Notes = append(h.Notes, fmt.Sprintf("the recording did not end: the last operations may be missing, and %d writes are taken for unknown", run.Open))
	}
	return nil
}

// Len returns the number of operations.
func (h *History) Len() int {
	if h.log != nil {
		return h.log.Len()
	}
	return len(h.ops)
}

// Ops returns every operation. Those of a history in compact form are read
// again; the error says if the file has changed.
func (h *History) Ops(ctx context.Context) ([]history.Op, error) {
	if h.log == nil {
		return h.ops, nil
	}
	return h.readAgain(ctx, func(*history.Op) bool { return true })
}

// readAgain reads the operations of a history in compact form that are wanted.
func (h *History) readAgain(ctx context.Context, want func(*history.Op) bool) ([]history.Op, error) {
	type part struct {
		ops  []history.Op
		seen int
	}
	var parts []*part
	err := history.ReadParts(ctx, h.Path, h.format, func() history.Collector {
		p := &part{}
		parts = append(parts, p)
		return func(op *history.Op) error {
			if p.seen++; want(op) {
				p.ops = append(p.ops, op.Clone())
			}
			return nil
		}
	})
	if err != nil {
		return nil, err
	}
	var ops []history.Op
	seen := 0
	for _, p := range parts {
		ops, seen = append(ops, p.ops...), seen+p.seen
	}
	if seen != h.Len() {
		return nil, &history.InputError{File: h.Path, Err: fmt.Errorf("had %d operations at first and %d when it was read again: it changed", h.Len(), seen)}
	}
	return ops, nil
}

// loader makes a History of the parts of an input.
type loader struct {
	Options
	model model.Model
	keep  int // operations that are held as they are; -1 for all
	parts []*part
	read  atomic.Int64
}

// part is a part of a history: operations up to a number of them, then all of
// them in compact form.
type part struct {
	*loader
	ops     []history.Op
	compact *keylog.Builder
	n       int
}

func (l *loader) begin() history.Collector {
	p := &part{loader: l}
	l.parts = append(l.parts, p)
	if l.keep == 0 {
		p.compact = keylog.NewBuilder(l.model)
	}
	return p.add
}

func (p *part) add(op *history.Op) error {
	if p.n++; p.n%progressOps == 0 && p.Progress != nil {
		p.Progress(p.read.Add(progressOps))
	}
	if p.compact != nil {
		return p.compact.Add(op)
	}
	if err := p.model.Validate(op); err != nil {
		return err
	}
	p.ops = append(p.ops, op.Clone())
	if p.keep >= 0 && len(p.ops) > p.keep/len(p.parts) {
		return p.compress()
	}
	return nil
}

// compress brings the part into its compact form.
func (p *part) compress() error {
	p.compact = keylog.NewBuilder(p.model)
	for i := range p.ops {
		if err := p.compact.Add(&p.ops[i]); err != nil {
			return err
		}
	}
	p.ops = nil
	return nil
}

// reportAll says how many operations were read in the end.
func (l *loader) reportAll() {
	if l.Progress == nil {
		return
	}
	total := 0
	for _, p := range l.parts {
		total += p.n
	}
	l.Progress(int64(total))
}

// join puts the parts together: in compact form if one of them is.
func (l *loader) join() ([]history.Op, *keylog.Log, error) {
	compact := false
	for _, p := range l.parts {
		compact = compact || p.compact != nil
	}
	if !compact {
		var ops []history.Op
		for i, p := range l.parts {
			if i == 0 {
				ops = p.ops
			} else {
				ops = append(ops, p.ops...)
			}
		}
		return ops, nil, nil
	}
	builders := make([]*keylog.Builder, len(l.parts))
	for i, p := range l.parts {
		if p.compact == nil {
			if err := p.compress(); err != nil {
				return nil, nil, err
			}
		}
		builders[i] = p.compact
	}
	log, err := keylog.Join(builders...)
	return nil, log, err
}
