// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"
	"fmt"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/explain"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/linear/search"
)

// Check judges a history. Operations may be in any order. The error says
// which operation is none (it returns before its call, its kind is unknown to
// the model), or that there is no such engine; then there is no verdict.
func Check(ctx context.Context, ops []history.Op, o Options) (Result, error) {
	start := time.Now()
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return Result{}, err
	}
	if !model.IsKeyValue(o.Model) {
		return checkModel(ctx, ops, o)
	}
	l, err := keylog.Of(o.Model, ops)
	if err != nil {
		return Result{}, err
	}
	r := CheckLog(ctx, l, func(i int) history.Op { return ops[i] }, o)
	r.Duration = time.Since(start)
	return r, nil
}

// CheckLog judges a key-value history in its compact form. fetch returns
// operation i as it was added, for cores and explanations; with nil they lack
// what a Log does not hold, and a key whose operations name writes
// (history.Op.Writer, see keylog.Log.NamesWrites) is Unknown. So is everything
// where the model is no key-value store or there is no such engine.
func CheckLog(ctx context.Context, l *keylog.Log, fetch func(i int) history.Op, o Options) Result {
	start := time.Now()
	o = o.withDefaults()
	c := &logCheck{Options: o, log: l, fetch: fetch, res: Result{Verdict: OK, Ops: l.Len()}}
	if why := c.unfit(); why != nil {
		return Result{Verdict: Unknown, Engine: None, Ops: l.Len(), Explanation: why.Error()}
	}
	ctx, cancel := o.bound(ctx)
	defer cancel()
	if k := c.judge(ctx); k != nil && !o.NoCore {
		c.res.Core, c.res.Explanation = k.explain(ctx)
	}
	return c.res.finish(start)
}

func (o Options) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.Timeout > 0 {
		return context.WithTimeout(ctx, o.Timeout)
	}
	return context.WithCancel(ctx)
}

// solve runs the general search.
func (o *Options) solve(ctx context.Context, p search.Part) (search.Found, string) {
	f := search.Solve(ctx, p, search.Limits{
		Memory: o.Memory, Orders: o.Certify, NoPorcupine: o.Engine == Search, OnlyPorcupine: o.Engine == Porcupine,
	})
	if f.ByPorcupine {
		return f, Porcupine
	}
	return f, Search
}

// gaveUp says why there is no verdict.
func (o *Options) gaveUp(part string, ops int) string {
	limit := fmt.Sprintf("%d MiB", o.Memory>>20)
	if o.Timeout > 0 {
		limit = fmt.Sprintf("%v or %s", o.Timeout, limit)
	}
	return fmt.Sprintf("the search gave up on %q (%d operations): it would take more than %s", part, ops, limit)
}

// coreMemory bounds each of the many searches for a small core.
const coreMemory = 64 << 20

// checkModel judges a history by a model that is no key-value store.
func checkModel(ctx context.Context, ops []history.Op, o Options) (Result, error) {
	start := time.Now()
	res := Result{Verdict: OK, Ops: len(ops)}
	if p, ok := o.Model.(model.Preparer); ok {
		p.Prepare(ops)
	}
	parts, err := split(o.Model, ops)
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := o.bound(ctx)
	defer cancel()
	for _, p := range parts {
		if o.Engine == Auto || o.Engine == Zones {
			if n := p.judgeNamed(ctx, o.Model); n.verdict != Unknown || o.Engine == Zones {
				res.addNamed(o, p, n, ops)
				continue
			}
		}
		f, engine := o.solve(ctx, p.problem(o.Model, p.ops))
		switch {
		case f.Verdict == OK && o.Certify:
			f.Verdict = res.certify(o.Model, p.name, ops, p.original(f.Order))
		case f.Verdict == Violation && res.Core == nil && !o.NoCore:
			res.Core, res.Explanation = p.explain(ctx, o, f.Until)
		case f.Verdict == Unknown:
			res.say("%s", o.gaveUp(p.name, len(p.ops)))
		}
		res.add(KeyResult{Key: p.name, Verdict: f.Verdict, Engine: engine, Ops: len(p.ops)})
	}
	return res.finish(start), nil
}

// part is what is judged on its own: for most models the operations of one
// key.
type part struct {
	name string
	ops  []history.Op
	at   []int // their positions in the history
}

func split(m model.Model, ops []history.Op) ([]*part, error) {
	var parts []*part
	byName := make(map[string]*part)
	for i := range ops {
		op := &ops[i]
		if op.Kind == history.Stale {
			continue
		}
		if err := m.Validate(op); err != nil {
			return nil, fmt.Errorf("operation %d (client %d, key %q): %w", i, op.Client, op.Key, err)
		}
		if !m.Constrains(op) {
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
		p.at = append(p.at, i)
	}
	return parts, nil
}

// problem lays operations of the part out for the general search.
func (p *part) problem(m model.Model, ops []history.Op) search.Part {
	return search.Part{Problem: search.OfModel(m, p.name, ops), Model: m, Name: p.name, Ops: func() []history.Op { return ops }}
}

// original turns positions in the part into positions in the history.
func (p *part) original(order []int) []int {
	for i, n := range order {
		order[i] = p.at[n]
	}
	return order
}

// explain returns a core of a part that is illegal, and says what is wrong
// with it. No order was left by the time until.
func (p *part) explain(ctx context.Context, o Options, until int64) ([]history.Op, string) {
	var called []history.Op
	for i := range p.ops {
		if p.ops[i].Call <= until {
			called = append(called, p.ops[i])
		}
	}
	o.Engine, o.Memory = Search, coreMemory
	core := explain.ModelCore(ctx, o.Model, called, func(set []history.Op) bool {
		f, _ := o.solve(ctx, p.problem(o.Model, set))
		return f.Verdict == Violation
	})
	return core, explain.Sentence(core, nil)
}
