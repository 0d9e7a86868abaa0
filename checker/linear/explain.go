// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// explain returns the core of a key that is illegal, and says in a sentence
// what is wrong with it.
func (k *keyCheck) explain(ctx context.Context) ([]history.Op, string) {
	illegal := func(set []history.Op) bool { return illegalKV(ctx, k.Model, set) }
	var set []history.Op
	known := new(past) // of which nothing is known to be gone
	switch {
	case k.naming != nil:
		set = k.naming.suspects(k.namedZones)
	case k.decided():
		set = k.ops(k.zones().culprits())
	default:
		known = newPast(k.saying(k.until))
		set = known.suspects(illegal)
	}
	s := &shrinker{ctx: ctx, model: k.Model, effort: coreEffort, mayDrop: known.mayDrop, illegal: illegal}
	core := s.uproot(byCall(s.shrink(byCall(set))))
	return core, sentence(core, k.inVain(core))
}

// saying returns the operations of the key that say anything and were called
// by a time.
func (k *keyCheck) saying(until int64) []history.Op {
	var ops []history.Op
	for i := range int32(k.log.len) {
		if op := k.op(i); k.Model.Says(&op) && op.Call <= until {
			ops = append(ops, op)
		}
	}
	return ops
}

// inVain looks for an operation that failed and would have written what a core
// of one read saw.
func (k *keyCheck) inVain(core []history.Op) *history.Op {
	if len(core) != 1 {
		return nil
	}
	for i := range int32(k.log.len) {
		if k.log.entry(i).kind != silent {
			continue
		}
		if op := k.op(i); op.Kind.Mutates() && op.Outcome == history.Fail && op.Value == core[0].Observed {
			return &op
		}
	}
	return nil
}

// explainModel does the same for a model of which nothing is known: only
// operations that the model says never change a state can be left out.
func explainModel(ctx context.Context, o Options, p *part, until int64) ([]history.Op, string) {
	var set []history.Op
	for i := range p.ops {
		if p.ops[i].Call <= until {
			set = append(set, p.ops[i])
		}
	}
	observer, _ := o.Model.(Observer)
	o.Engine, o.Memory = EngineSearch, 64<<20
	s := &shrinker{
		ctx: ctx, model: o.Model, effort: coreEffort,
		mayDrop: func(set []history.Op, i int) bool { return observer != nil && observer.Observes(&set[i]) },
		illegal: func(set []history.Op) bool {
			f := o.solve(ctx, modelProblem(o.Model, p.name, set), o.Model, p.name, func() []history.Op { return set })
			return f.verdict == Violation
		},
	}
	core := byCall(s.shrink(byCall(set)))
	return core, sentence(core, nil)
}
