// SPDX-License-Identifier: Apache-2.0

package checker

import (
	"context"
	"fmt"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
)

// Result is the judgement on a loaded history.
type Result struct {
	linear.Result
	// Certified says that the history is OK, and that orders were asked for
	// and verified.
	Certified bool
	// Uncertified says why no order was verified, although that was asked for:
	// the file could not be read again.
	Uncertified error
	// Notes say for people what else is to be known.
	Notes []string
}

// Check judges the history by the model that it was loaded for. The error
// says why there is no verdict: what a model refuses, or a file that has to be
// read again and can't be.
func (h *History) Check(ctx context.Context, o linear.Options) (Result, error) {
	o.Model = h.Model
	r, err := h.check(ctx, o)
	if err != nil {
		return Result{}, err
	}
	r.Certified = r.Verdict == linear.OK && o.Certify && r.Uncertified == nil
	switch {
	case r.Verdict == linear.Unknown && ctx.Err() != nil:
		r.Explanation = "interrupted during the search"
	case r.Verdict == linear.OK && r.Checked == 0:
		r.Notes = append(r.Notes, fmt.Sprintf("none of the %d operations says anything about what was stored: there was nothing to judge", r.Ops))
	}
	r.Notes = append(r.Notes, h.Notes...)
	return r, nil
}

func (h *History) check(ctx context.Context, o linear.Options) (r Result, err error) {
	if h.log == nil {
		return h.checkOps(ctx, h.ops, o)
	}
	if h.log.NamesWrites() || o.Certify {
		ops, err := h.Ops(ctx)
		if err == nil {
			return h.checkOps(ctx, ops, o)
		}
		if h.log.NamesWrites() {
			return r, err
		}
		r.Uncertified = fmt.Errorf("no order was verified: %w", err)
		o.Certify = false
	}
	r.Result = linear.CheckLog(ctx, h.log, nil, o)
	if len(r.Core) > 0 {
		if err := h.explain(ctx, &r.Result, o); err != nil {
			r.Notes = append(r.Notes, fmt.Sprintf("the verdict stands, its explanation lacks something: %v", err))
		}
	}
	return r, nil
}

func (h *History) checkOps(ctx context.Context, ops []history.Op, o linear.Options) (Result, error) {
	r, err := linear.Check(ctx, ops, o)
	if err != nil {
		return Result{}, &history.InputError{File: h.Path, Err: err}
	}
	return Result{Result: r}, nil
}

// explain reads the operations of the key that holds the violation again, to
// explain it with what the compact form does not hold.
func (h *History) explain(ctx context.Context, r *linear.Result, o linear.Options) error {
	key := r.Core[0].Key
	ops, err := h.readAgain(ctx, func(op *history.Op) bool { return op.Key == key })
	if err != nil {
		return err
	}
	again, err := linear.Check(ctx, ops, o)
	if err == nil && again.Verdict == linear.Violation {
		r.Core, r.Explanation = again.Core, again.Explanation
	}
	return err
}
