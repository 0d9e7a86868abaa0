// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
)

// grace is how long a check may go on after an interrupt. Searches end within
// milliseconds; what takes longer is to lay out a history of millions.
const grace = time.Second

// check judges a history.
func check(ctx context.Context, o *options, h *loaded) (v verdict, err error) {
	var told verdict // not v, which may be returned while the check goes on
	err = patiently(ctx, grace, func() (err error) {
		told, err = h.check(ctx, o)
		return err
	})
	if err != nil {
		return verdict{}, err
	}
	v = told
	v.certified = v.Verdict == linear.OK && o.certify && v.failed == nil
	switch {
	case v.Verdict == linear.Unknown && ctx.Err() != nil:
		v.Explanation = "interrupted during the search"
	case v.Verdict == linear.OK && v.Checked == 0:
		v.notes = append(v.notes, fmt.Sprintf("none of the %d operations says anything about what was stored: there was nothing to judge", v.Ops))
	}
	v.notes = append(v.notes, h.notes...)
	return v, nil
}

func (h *loaded) check(ctx context.Context, o *options) (verdict, error) {
	opts := linear.Options{Model: h.model, Engine: o.engine, Timeout: o.timeout, Memory: o.memoryBytes, Certify: o.certify}
	if h.log == nil {
		res, err := linear.Check(ctx, h.ops, opts)
		return verdict{Result: res}, at(h.path, 0, err)
	}
	var v verdict
	if h.log.NeedsOps() || o.certify {
		ops, err := h.all(ctx)
		if err == nil {
			res, err := linear.Check(ctx, ops, opts)
			return verdict{Result: res}, at(h.path, 0, err)
		}
		if h.log.NeedsOps() {
			return verdict{}, err
		}
		v.failed = fmt.Errorf("no order was verified: %w", err)
		opts.Certify = false
	}
	v.Result = linear.CheckLog(ctx, h.log, nil, opts)
	if len(v.Core) > 0 {
		if err := h.explain(ctx, &v.Result, opts); err != nil {
			v.notes = append(v.notes, fmt.Sprintf("the verdict stands, its explanation lacks something: %v", err))
		}
	}
	return v, nil
}

// explain reads the operations of the key that holds the violation again, to
// explain it with what the compact form does not hold.
func (h *loaded) explain(ctx context.Context, res *linear.Result, opts linear.Options) error {
	key := res.Core[0].Key
	var ops []history.Op
	err := h.each(ctx, func(op *history.Op) {
		if op.Key == key {
			ops = append(ops, *op)
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
