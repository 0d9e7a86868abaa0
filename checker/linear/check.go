// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Check judges a history. Operations may be in any order. The error says
// which operation is none (it returns before its call, its kind is unknown to
// the model); then there is no verdict.
func Check(ctx context.Context, ops []history.Op, o Options) (Result, error) {
	start := time.Now()
	o = o.withDefaults()
	res := Result{Verdict: OK, Ops: len(ops)}
	parts, err := split(o.Model, ops)
	if err != nil {
		return Result{}, err
	}
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	for _, p := range parts {
		res.Checked += len(p.ops)
		v := searchPorcupine(ctx, o.Model, p.name, p.ops, o.Memory)
		res.add(KeyResult{Key: p.name, Verdict: v, Engine: EnginePorcupine, Ops: len(p.ops)})
	}
	res.Engine = engines(res.PerKey)
	res.Duration = time.Since(start)
	return res, nil
}

func (o Options) withDefaults() Options {
	if o.Model == nil {
		o.Model = Auto
	}
	if o.Engine == "" {
		o.Engine = EngineAuto
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.Memory == 0 {
		o.Memory = 1 << 30
	}
	return o
}

// part is what is judged on its own: the operations of one key.
type part struct {
	name string
	ops  []history.Op
}

func split(m Model, ops []history.Op) ([]*part, error) {
	var parts []*part
	byName := make(map[string]*part)
	for i := range ops {
		op := &ops[i]
		if err := m.Validate(op); err != nil {
			return nil, fmt.Errorf("operation %d (client %d, key %q): %w", i, op.Client, op.Key, err)
		}
		if !m.Says(op) {
			continue
		}
		name := m.Part(op)
		p := byName[name]
		if p == nil {
			p = &part{name: name}
			byName[name] = p
			parts = append(parts, p)
		}
		p.ops = append(p.ops, *op)
	}
	return parts, nil
}

// add takes in the verdict on one key: a violation beats unknown, which beats
// OK.
func (r *Result) add(k KeyResult) {
	r.PerKey = append(r.PerKey, k)
	if k.Verdict == Violation || k.Verdict == Unknown && r.Verdict == OK {
		r.Verdict = k.Verdict
	}
}

func engines(keys []KeyResult) string {
	var names []string
	for _, k := range keys {
		if !slices.Contains(names, k.Engine) {
			names = append(names, k.Engine)
		}
	}
	slices.Sort(names)
	return strings.Join(names, "+")
}
