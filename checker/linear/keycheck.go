// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// keyCheck is the judgement on one key of a log.
type keyCheck struct {
	*logCheck
	key uint32
	idx []int32 // positions of its operations, where they are needed
	// until is, for a violation found by search, when no order was left.
	until int64
	// naming and namedZones are, for a violation found by the names of
	// writes, what found it.
	naming     *naming
	namedZones *zones
}

func (k *keyCheck) judge(ctx context.Context) (Verdict, string) {
	if k.decided(k.key) {
		if k.zones.bad[k.key] {
			return Violation, EngineZones
		}
		if k.Certify {
			return k.certifyKey(ints(k.zones.order(k.key, k.idx))), EngineZones
		}
		return OK, EngineZones
	}
	if k.zones != nil && k.log.outside[k.key]&named != 0 {
		if v, ok := k.judgeNamed(); ok {
			return v, EngineZones
		}
	}
	if k.Engine == EngineZones {
		return Unknown, EngineZones
	}
	return k.search(ctx)
}

func (k *keyCheck) search(ctx context.Context) (Verdict, string) {
	p, of := k.problem()
	f := k.solve(ctx, p, k.Model, k.log.names[k.key], func() []history.Op { return k.ops(of) })
	k.until = f.until
	switch {
	case f.verdict == OK && k.Certify:
		for i, n := range f.order {
			f.order[i] = int(k.idx[of[n]])
		}
		f.verdict = k.certifyKey(f.order)
	case f.verdict == Unknown && k.res.Explanation == "":
		k.res.Explanation = k.gaveUp(k.log.names[k.key], len(k.idx))
	}
	return f.verdict, f.engine
}

// problem lays the key out for the general search. Where writes are named the
// model has to be asked, since a log holds no names.
func (k *keyCheck) problem() (p *problem, of []int32) {
	if k.log.outside[k.key]&named == 0 {
		return k.log.kvProblem(k.key, k.idx)
	}
	for i, at := range k.idx {
		if k.log.entries[at].kind != silent {
			of = append(of, int32(i))
		}
	}
	return modelProblem(k.Model, k.log.names[k.key], k.ops(of)), of
}

// ops fetches the operations at the given places of idx.
func (k *keyCheck) ops(of []int32) []history.Op {
	ops := make([]history.Op, len(of))
	for i, n := range of {
		ops[i] = k.fetch(int(k.idx[n]))
	}
	return ops
}

func (k *keyCheck) certifyKey(order []int) Verdict {
	name := k.log.names[k.key]
	// Verify looks at a whole history: hand it this key's part of it.
	ops := make([]history.Op, len(k.idx))
	place := make(map[int]int, len(k.idx))
	for i, at := range k.idx {
		ops[i] = k.fetch(int(at))
		place[int(at)] = i
	}
	local := make([]int, len(order))
	for i, at := range order {
		local[i] = place[at]
	}
	v := k.res.certify(k.Model, name, ops, local)
	if v == OK {
		k.res.Orders[name] = order
	}
	return v
}

func ints(a []int32) []int {
	b := make([]int, len(a))
	for i, n := range a {
		b[i] = int(n)
	}
	return b
}

// found is what a general search found out.
type found struct {
	verdict Verdict
	engine  string
	order   []int // for an OK: positions in the problem
	until   int64 // for a violation: the return by which no order was left
}

// solve runs the general searches one after the other: depth first, breadth
// first, porcupine. Each is bounded by Memory, all by the context.
func (o *Options) solve(ctx context.Context, p *problem, m Model, part string, ops func() []history.Op) found {
	if o.Engine != EnginePorcupine {
		if pl, ok := layOut(p, o.Memory); ok {
			for _, dive := range []func(*search) (Verdict, []int32){(*search).deep, (*search).broad} {
				s := newSearch(ctx, pl, o.Memory)
				v, path := dive(s)
				if v == OK {
					return found{verdict: v, engine: EngineSearch, order: s.order(path)}
				}
				if v == Violation {
					return found{verdict: v, engine: EngineSearch, until: s.until()}
				}
			}
		}
	}
	if ctx.Err() != nil || o.Engine == EngineSearch {
		return found{verdict: Unknown, engine: EngineSearch}
	}
	v, order := searchPorcupine(ctx, m, part, ops(), o.Memory, o.Certify)
	return found{verdict: v, engine: EnginePorcupine, order: order, until: history.Never}
}
