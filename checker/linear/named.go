// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/explain"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/linear/writers"
)

// named is the judgement on a part whose operations all name the writes that they saw
// (see writers.Named). The names put the writes into the only order that is possible, in
// linear time; then the model is asked whether that order gives the answers.
//
// An order is the only one as far as anything depends on it: what nobody saw, and
// nobody replaced, comes last.
type named struct {
	verdict Verdict
	order   []int // positions in the part, if the verdict is OK
	// core is a part of a violation, and why what is wrong with it.
	core []history.Op
	why  string
}

// judgeNamed judges a part by the names; Unknown: it takes the general search.
func (p *part) judgeNamed(ctx context.Context, m model.Model) named {
	if !writers.Named(p.ops) {
		return named{verdict: Unknown}
	}
	register := make([]history.Op, len(p.ops))
	for i, op := range p.ops {
		register[i] = writers.AsRegister(op)
	}
	k, verdict, order, _ := writers.Judge(ctx, model.Register, p.name, register)
	switch verdict {
	case Violation:
		return p.misordered(ctx, register, k.Conflict())
	case OK:
		return p.replayed(m, order)
	}
	return named{verdict: Unknown}
}

// misordered explains a part whose names can't be put into any order. conflict are
// operations as on a register; nil: all.
func (p *part) misordered(ctx context.Context, register, conflict []history.Op) named {
	small := explain.KeyValueCore(ctx, conflict, register, func(set []history.Op) bool { return illegal(ctx, model.Register, set) })
	var core []history.Op
	for i := range p.ops {
		if slices.ContainsFunc(small, func(op history.Op) bool { return op.Client == p.ops[i].Client && op.Call == p.ops[i].Call }) {
			core = append(core, p.ops[i])
		}
	}
	sortByCall(core)
	return named{verdict: Violation, core: core, why: explain.Sentence(small, nil)}
}

// maxReplayed bounds the operations that are told before one whose answer is wrong.
const maxReplayed = 5

// replayed asks the model whether an order gives the answers that are recorded.
func (p *part) replayed(m model.Model, order []int) named {
	state := m.Init(p.name)
	for n, i := range order {
		next, ok := m.Step(state, &p.ops[i])
		if ok {
			state = next
			continue
		}
		var core []history.Op
		for _, before := range order[:n+1] {
			if before == i || p.ops[before].Kind.Mutates() {
				core = append(core, p.ops[before])
			}
		}
		writes := len(core) - 1
		core = core[max(0, len(core)-1-maxReplayed):]
		return named{verdict: Violation, core: core, why: fmt.Sprintf("client %d %s, but by the names of the writes %d were carried out before it, after which %s held %v",
			p.ops[i].Client, explain.Action(&p.ops[i]), writes, p.name, state)}
	}
	return named{verdict: OK, order: order}
}

// addNamed takes in the verdict on a part of a history that was judged by names.
func (r *Result) addNamed(o Options, p *part, n named, ops []history.Op) {
	switch {
	case n.verdict == OK && o.Certify:
		n.verdict = r.certify(o.Model, p.name, ops, p.original(n.order))
	case n.verdict == Violation && r.Core == nil && !o.NoCore:
		r.Core, r.Explanation = n.core, n.why
	case n.verdict == Unknown:
		r.say("names alone can't judge %q: not all of its operations name what they saw", p.name)
	}
	r.add(KeyResult{Key: p.name, Verdict: n.verdict, Engine: Zones, Ops: len(p.ops)})
}

func sortByCall(ops []history.Op) {
	slices.SortStableFunc(ops, func(a, b history.Op) int { return cmp.Compare(a.Call, b.Call) })
}
