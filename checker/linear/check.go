// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Check judges a history. Operations may be in any order. The error says
// which operation is none (it returns before its call, its kind is unknown to
// the model), or that there is no such engine; then there is no verdict.
func Check(ctx context.Context, ops []history.Op, o Options) (Result, error) {
	o = o.withDefaults()
	if !slices.Contains(Engines, o.Engine) {
		return Result{}, o.noEngine()
	}
	if m, ok := o.Model.(kv); ok {
		l := NewLog()
		l.model = m
		for i := range ops {
			if err := l.Add(&ops[i]); err != nil {
				return Result{}, fmt.Errorf("operation %d (client %d, key %q): %w", i, ops[i].Client, ops[i].Key, err)
			}
		}
		return CheckLog(ctx, l, func(i int) history.Op { return ops[i] }, o), nil
	}
	return checkModel(ctx, ops, o)
}

// CheckLog judges a key-value history in its compact form. fetch returns
// operation i as it was added, for cores and explanations; with nil they lack
// what a Log does not hold, and a key whose operations name writes
// (history.Op.Writer, see NeedsOps) is Unknown. So is everything where the
// model is no key-value store or there is no such engine.
func CheckLog(ctx context.Context, l *Log, fetch func(i int) history.Op, o Options) Result {
	start := time.Now()
	o = o.withDefaults()
	c := &logCheck{Options: o, log: l, fetch: fetch, res: Result{Verdict: OK, Ops: l.Len()}}
	if why := c.unfit(); why != nil {
		return Result{Verdict: Unknown, Engine: EngineNone, Ops: l.Len(), Explanation: why.Error()}
	}
	ctx, cancel := o.bound(ctx)
	defer cancel()
	if bad := c.judgeAll(ctx); bad != nil && !o.NoCore {
		c.res.Core, c.res.Explanation = bad.explain(ctx)
	}
	c.res.Engine = engines(c.res.PerKey)
	c.res.Duration = time.Since(start)
	return c.res
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

func (o Options) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.Timeout > 0 {
		return context.WithTimeout(ctx, o.Timeout)
	}
	return context.WithCancel(ctx)
}

// logCheck is one call of CheckLog.
type logCheck struct {
	Options
	log   *Log
	fetch func(i int) history.Op // nil: the log has to do
	res   Result
}

// unfit says why a log can't be judged in the way that is asked for.
func (c *logCheck) unfit() error {
	if _, ok := c.Model.(kv); !ok {
		return fmt.Errorf("a log holds operations on keys and values, not of the model %s", c.Model.Name())
	}
	if !slices.Contains(Engines, c.Engine) {
		return c.noEngine()
	}
	return nil
}

func (o *Options) noEngine() error {
	return fmt.Errorf("there is no engine %q, only %s", o.Engine, strings.Join(Engines, ", "))
}

// gaveUp tells why there is no verdict.
func (o *Options) gaveUp(part string, ops int) string {
	limit := fmt.Sprintf("%d MiB", o.Memory>>20)
	if o.Timeout > 0 {
		limit = fmt.Sprintf("%v or %s", o.Timeout, limit)
	}
	return fmt.Sprintf("the search gave up on %q (%d operations): it would take more than %s", part, ops, limit)
}

// judgeAll judges every key and returns one that is illegal, if any is.
func (c *logCheck) judgeAll(ctx context.Context) *keyCheck {
	var zoned []zoneVerdict
	if c.Engine == EngineAuto || c.Engine == EngineZones {
		zoned = judgeByZones(c.log)
	}
	var firstBad *keyCheck
	for i, k := range c.log.keys {
		if k.said == 0 {
			continue
		}
		kc := &keyCheck{logCheck: c, log: k}
		if zoned != nil {
			kc.zoned = zoned[i]
		}
		r := KeyResult{Key: k.name, Ops: k.said}
		r.Verdict, r.Engine = kc.judge(ctx)
		c.res.add(r)
		c.res.Checked += r.Ops
		if r.Verdict == Violation && (firstBad == nil || k.len < firstBad.log.len) {
			firstBad = kc
		}
	}
	return firstBad
}

// checkModel judges a history by a model that is no key-value store.
func checkModel(ctx context.Context, ops []history.Op, o Options) (Result, error) {
	start := time.Now()
	res := Result{Verdict: OK, Ops: len(ops)}
	parts, err := split(o.Model, ops)
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := o.bound(ctx)
	defer cancel()
	for _, p := range parts {
		res.Checked += len(p.ops)
		pr := modelProblem(o.Model, p.name, p.ops)
		f := o.solve(ctx, pr, o.Model, p.name, func() []history.Op { return p.ops })
		switch {
		case f.verdict == OK && o.Certify:
			f.verdict = res.certify(o.Model, p.name, ops, p.original(f.order))
		case f.verdict == Violation && res.Core == nil && !o.NoCore:
			res.Core, res.Explanation = explainModel(ctx, o, p, f.until)
		case f.verdict == Unknown && res.Explanation == "":
			res.Explanation = o.gaveUp(p.name, len(p.ops))
		}
		res.add(KeyResult{Key: p.name, Verdict: f.verdict, Engine: f.engine, Ops: len(p.ops)})
	}
	res.Engine = engines(res.PerKey)
	res.Duration = time.Since(start)
	return res, nil
}

// certify verifies an order before it is handed out. An order that does not
// prove what it should would be a mistake of this package: no verdict then.
func (r *Result) certify(m Model, part string, ops []history.Op, order []int) Verdict {
	if err := Verify(m, part, ops, order); err != nil {
		r.Explanation = fmt.Sprintf("the order found for %q does not prove it linearizable (%v); this is a mistake of the checker", part, err)
		return Unknown
	}
	if r.Orders == nil {
		r.Orders = make(map[string][]int)
	}
	r.Orders[part] = order
	return OK
}

// part is what is judged on its own: the operations of one key.
type part struct {
	name string
	ops  []history.Op
	at   []int // their positions in the history
}

func (p *part) original(order []int) []int {
	for i, n := range order {
		order[i] = p.at[n]
	}
	return order
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
		p.at = append(p.at, i)
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
	if len(keys) == 0 {
		return EngineNone
	}
	names := make(map[string]bool)
	for _, k := range keys {
		names[k.Engine] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), "+")
}
