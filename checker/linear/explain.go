// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"
	"fmt"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// explain returns the core of a key that is illegal, and says in a sentence
// what is wrong with it.
func (k *keyCheck) explain(ctx context.Context) ([]history.Op, string) {
	var set []history.Op
	if k.naming != nil {
		set = k.naming.suspects(k.namedZones)
	} else if k.decided() {
		set = k.ops(k.zones().culprits())
	} else {
		for i := range int32(k.log.len) {
			if op := k.op(i); k.Model.Says(&op) && op.Call <= k.until {
				set = append(set, op)
			}
		}
	}
	s := &shrinker{
		ctx: ctx, model: k.Model, effort: coreEffort, mayDrop: mayDropKV,
		illegal: func(set []history.Op) bool { return illegalKV(ctx, k.Model, set) },
	}
	core := s.uproot(byCall(s.shrink(byCall(set))))
	return core, sentence(core, k.inVain(core))
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

// sentence says what is wrong with a core.
func sentence(core []history.Op, vain *history.Op) string {
	if len(core) == 0 {
		return "the operations can't be put in any order"
	}
	last := &core[len(core)-1]
	who := fmt.Sprintf("client %d %s at %s", last.Client, Deed(last), Moment(last.End()))
	if last.Outcome == history.Unknown {
		who = fmt.Sprintf("client %d %s at %s or later", last.Client, Deed(last), Moment(last.Call))
	}
	switch {
	case len(core) == 1 && vain != nil:
		return fmt.Sprintf("%s, but client %d's %s of it had failed at %s", who, vain.Client, vain.Kind, Moment(vain.Return))
	case len(core) == 1 && last.Kind == history.Cas && last.Outcome == history.Fail && last.Observed == last.Expected:
		return who + ", which is what it expected"
	case len(core) == 1:
		return who + ", but nobody wrote that"
	}
	if s := overwritten(core); s != "" {
		return s
	}
	if s := doubled(core); s != "" {
		return s
	}
	if s := future(core); s != "" {
		return s
	}
	if before := latestBefore(core, last); before != nil {
		return fmt.Sprintf("%s, but client %d %s and was done at %s, before it was called at %s%s",
			who, before.Client, sameKey(before, last), Moment(before.Return), Moment(last.Call), others(len(core)-2))
	}
	if len(core) == 2 {
		return who + ", which no order of it and the other operation explains"
	}
	return fmt.Sprintf("%s, which no order of it and the %d other operations explains", who, len(core)-1)
}

// sameKey tells a deed without repeating the key.
func sameKey(op, other *history.Op) string {
	if op.Key == other.Key {
		return deed(op, "it")
	}
	return Deed(op)
}

func others(n int) string {
	switch {
	case n <= 0:
		return ""
	case n == 1:
		return "; with one more operation, no order explains this"
	}
	return fmt.Sprintf("; with %d more operations, no order explains this", n)
}

// latestBefore returns the operation that was done last before op was called.
func latestBefore(core []history.Op, op *history.Op) *history.Op {
	var best *history.Op
	for i := range core {
		if o := &core[i]; o != op && o.End() < op.Call && (best == nil || o.End() > best.End()) {
			best = o
		}
	}
	return best
}

// overwritten tells of two writes that both say they replaced the same one: a
// lost update.
func overwritten(core []history.Op) string {
	for i := range core {
		for j := range core[:i] {
			a, b := &core[j], &core[i]
			if a.ObservedWriter == "" || a.ObservedWriter != b.ObservedWriter || a.Outcome != history.OK || b.Outcome != history.OK ||
				!a.Kind.Mutates() || !b.Kind.Mutates() {
				continue
			}
			replaced := "the initial state"
			for n := range core {
				if w := &core[n]; w.Writer == a.ObservedWriter {
					replaced = fmt.Sprintf("what client %d had left there when it %s", w.Client, sameKey(w, a))
				}
			}
			return fmt.Sprintf("client %d %s at %s and client %d %s at %s, and both replaced %s",
				a.Client, Deed(a), Moment(a.End()), b.Client, sameKey(b, a), Moment(b.End()), replaced)
		}
	}
	return ""
}

// doubled tells of two cas that both replaced the one write of a value.
func doubled(core []history.Op) string {
	if len(core) > 4 {
		return ""
	}
	writers := 0
	for i := range core {
		for j := range core[:i] {
			a, b := &core[j], &core[i]
			if a.Kind != history.Cas || b.Kind != history.Cas || a.Outcome == history.Fail || b.Outcome == history.Fail || a.Expected != b.Expected {
				continue
			}
			for n := range core {
				if w := &core[n]; n != i && n != j && w.Kind.Mutates() && w.Value == a.Expected {
					writers++
				}
			}
			if writers <= 1 {
				return fmt.Sprintf("client %d %s and client %d %s, but %s was there only once",
					a.Client, Deed(a), b.Client, sameKey(b, a), a.Expected)
			}
		}
	}
	return ""
}

// future tells of a read that was over before the write of what it saw began.
func future(core []history.Op) string {
	if len(core) != 2 {
		return ""
	}
	a, b := &core[0], &core[1]
	if a.Kind == history.Get && b.Kind.Mutates() && a.End() < b.Call && a.Observed == b.Value {
		return fmt.Sprintf("client %d %s at %s, but client %d began to write it only at %s",
			a.Client, Deed(a), Moment(a.Return), b.Client, Moment(b.Call))
	}
	return ""
}
