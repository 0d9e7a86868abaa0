// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"
	"fmt"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/explain"
	"github.com/drumbeat-raft/drumbeat/checker/linear/keylog"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/linear/search"
	"github.com/drumbeat-raft/drumbeat/checker/linear/writers"
	"github.com/drumbeat-raft/drumbeat/checker/linear/zones"
)

// logCheck is one call of CheckLog.
type logCheck struct {
	Options
	log   *keylog.Log
	fetch func(i int) history.Op // nil: the log has to do
	res   Result
}

// unfit says why a log can't be judged in the way that is asked for.
func (c *logCheck) unfit() error {
	if !model.IsKeyValue(c.Model) {
		return fmt.Errorf("a log holds operations on keys and values, not of the model %s", c.Model.Name())
	}
	return c.validate()
}

// judge judges every key and returns one that is illegal, if any is: the
// shortest.
func (c *logCheck) judge(ctx context.Context) *keyCheck {
	var zoned []zones.Outcome
	if c.Engine == Auto || c.Engine == Zones {
		zoned = judgeByZones(c.log)
	}
	var shortest *keyCheck
	for i, k := range c.log.Keys {
		if k.Constraining == 0 {
			continue
		}
		kc := &keyCheck{logCheck: c, key: k}
		if zoned != nil {
			kc.zoned, kc.outcome = true, zoned[i]
		}
		r := KeyResult{Key: k.Name, Ops: k.Constraining}
		r.Verdict, r.Engine = kc.judge(ctx)
		c.res.add(r)
		if r.Verdict == Violation && (shortest == nil || len(k.Entries) < len(shortest.key.Entries)) {
			shortest = kc
		}
	}
	return shortest
}

// judgeByZones judges every key by its zones, several at a time if that pays.
func judgeByZones(l *keylog.Log) []zones.Outcome {
	outcomes := make([]zones.Outcome, len(l.Keys))
	l.EachKey(func() func(int) {
		var z zones.Judge
		return func(n int) { outcomes[n] = z.Run(l.Keys[n]) }
	})
	return outcomes
}

// keyCheck is the judgement on one key of a log.
type keyCheck struct {
	*logCheck
	key     *keylog.Key
	zoned   bool // outcome is known
	outcome zones.Outcome
	// until is, for a violation found by search, when no order was left.
	until int64
	// named is, for a violation found by the names of writes, what found it.
	named *writers.Key
}

func (k *keyCheck) judge(ctx context.Context) (Verdict, string) {
	names := k.key.Features&keylog.NamedWrites != 0
	if k.fetch == nil && names {
		k.res.say("operations on %q name writes, and the log does not hold the names", k.key.Name)
		return Unknown, None
	}
	if k.decided() {
		if k.outcome == zones.Illegal {
			return Violation, Zones
		}
		if k.Certify {
			return k.certify(k.zones().Order()), Zones
		}
		return OK, Zones
	}
	if k.zoned && names {
		named, verdict, order, _ := writers.Judge(ctx, k.Model, k.key.Name, k.all())
		switch {
		case verdict == Violation:
			k.named = named
			return Violation, Zones
		case verdict == OK && k.Certify:
			return k.certify(order), Zones
		case verdict == OK:
			return OK, Zones
		}
	}
	if k.Engine == Zones {
		k.res.say("zones alone can't judge %q: its values repeat, or it has appends, deletes without names or the like", k.key.Name)
		return Unknown, Zones
	}
	return k.search(ctx)
}

// decided reports whether the zones' judgement on the key is final.
func (k *keyCheck) decided() bool {
	if !k.zoned || k.outcome == zones.Repeated {
		return false
	}
	// Leaving out what a failed cas did not see only makes it easier: an
	// illegal there is final.
	return k.key.Features == 0 || k.key.Features == keylog.Mismatches && k.outcome == zones.Illegal
}

// zones judges the key again: what the judgement of all keys saw of it is
// gone.
func (k *keyCheck) zones() *zones.Judge {
	z := new(zones.Judge)
	z.Run(k.key)
	return z
}

// search runs the general search. Where writes are named the model has to be
// asked, since a log holds no names.
func (k *keyCheck) search(ctx context.Context) (Verdict, string) {
	p := search.Part{Model: k.Model, Name: k.key.Name}
	var of []int
	if k.key.Features&keylog.NamedWrites == 0 {
		p.Problem, of = search.OfKey(k.key)
		p.Ops = func() []history.Op { return k.ops(of) }
	} else {
		of = k.constraining()
		ops := k.ops(of)
		p.Problem = search.OfModel(k.Model, k.key.Name, ops)
		p.Ops = func() []history.Op { return ops }
	}
	f, engine := k.solve(ctx, p)
	k.until = f.Until
	switch {
	case f.Verdict == OK && k.Certify:
		for i, n := range f.Order {
			f.Order[i] = of[n]
		}
		f.Verdict = k.certify(f.Order)
	case f.Verdict == Unknown:
		k.res.say("%s", k.gaveUp(k.key.Name, len(k.key.Entries)))
	}
	return f.Verdict, engine
}

// constraining returns the entries that constrain the order.
func (k *keyCheck) constraining() []int {
	var of []int
	for i := range k.key.Entries {
		if k.key.Entries[i].Kind != keylog.Unconstrained {
			of = append(of, i)
		}
	}
	return of
}

// op fetches the operation of an entry.
func (k *keyCheck) op(i int) history.Op {
	if k.fetch == nil {
		return k.key.Op(i)
	}
	return k.fetch(int(k.key.Entries[i].At))
}

// all fetches every operation of the key.
func (k *keyCheck) all() []history.Op {
	ops := make([]history.Op, len(k.key.Entries))
	for i := range ops {
		ops[i] = k.op(i)
	}
	return ops
}

// ops fetches the operations of entries.
func (k *keyCheck) ops(of []int) []history.Op {
	ops := make([]history.Op, len(of))
	for i, n := range of {
		ops[i] = k.op(n)
	}
	return ops
}

// certify verifies an order of entries.
func (k *keyCheck) certify(order []int) Verdict {
	v := k.res.certify(k.Model, k.key.Name, k.all(), order)
	if v == OK {
		for i, n := range order {
			order[i] = int(k.key.Entries[n].At)
		}
	}
	return v
}

// explain returns a core of a key that is illegal, and says what is wrong with
// it.
func (k *keyCheck) explain(ctx context.Context) ([]history.Op, string) {
	var conflict, called []history.Op
	switch {
	case k.named != nil:
		if conflict = k.named.Conflict(); conflict == nil {
			called = k.ops(k.constraining())
		}
	case k.decided():
		conflict = k.ops(k.zones().Conflict())
	default:
		for _, op := range k.ops(k.constraining()) {
			if op.Call <= k.until {
				called = append(called, op)
			}
		}
	}
	core := explain.KeyValueCore(ctx, conflict, called, func(set []history.Op) bool { return illegal(ctx, k.Model, set) })
	return core, explain.Sentence(core, k.failedWrite(core))
}

// illegal reports whether key-value operations certainly can't be ordered.
func illegal(ctx context.Context, m model.Model, set []history.Op) bool {
	l, err := keylog.Of(m, set)
	if err != nil {
		return false
	}
	c := &logCheck{Options: Options{Model: m, Engine: Auto, Memory: coreMemory}, log: l, fetch: func(i int) history.Op { return set[i] }, res: Result{Verdict: OK}}
	c.judge(ctx)
	return c.res.Verdict == Violation
}

// failedWrite looks for an operation that failed and would have written what a
// core of one read saw.
func (k *keyCheck) failedWrite(core []history.Op) *history.Op {
	if len(core) != 1 {
		return nil
	}
	for i := range k.key.Entries {
		if k.key.Entries[i].Kind != keylog.Unconstrained {
			continue
		}
		if op := k.op(i); op.Kind.Mutates() && op.Outcome == history.Fail && op.Value == core[0].Observed {
			return &op
		}
	}
	return nil
}
