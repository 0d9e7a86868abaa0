// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"
	"fmt"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// keyCheck is the judgement on one key of a log.
type keyCheck struct {
	*logCheck
	log   *keyLog
	zoned zoneVerdict
	// until is, for a violation found by search, when no order was left.
	until int64
	// naming and namedZones are, for a violation found by the names of
	// writes, what found it.
	naming     *naming
	namedZones *zones
}

func (k *keyCheck) judge(ctx context.Context) (Verdict, string) {
	if k.fetch == nil && k.log.outside&named != 0 {
		if k.res.Explanation == "" {
			k.res.Explanation = fmt.Sprintf("operations on %q name writes, and the log does not hold the names", k.log.name)
		}
		return Unknown, EngineNone
	}
	if k.decided() {
		if k.zoned.bad {
			return Violation, EngineZones
		}
		if k.Certify {
			return k.certifyKey(ints(k.zones().order())), EngineZones
		}
		return OK, EngineZones
	}
	if k.zoned.judged && k.log.outside&named != 0 {
		if v, ok := k.judgeNamed(); ok {
			return v, EngineZones
		}
	}
	if k.Engine == EngineZones {
		return Unknown, EngineZones
	}
	return k.search(ctx)
}

// decided says whether the zones' judgement on the key is final.
func (k *keyCheck) decided() bool {
	if !k.zoned.judged || k.zoned.dup {
		return false
	}
	switch out := k.log.outside; out {
	case 0:
		return true
	default:
		// Leaving out what a failed cas did not see only makes it easier: an
		// illegal there is final.
		return out == refutes && k.zoned.bad
	}
}

// zones returns the zones of the key: what the judgement of all keys saw of
// them is gone.
func (k *keyCheck) zones() *zones {
	z := new(zones)
	z.run(k.log)
	return z
}

func (k *keyCheck) search(ctx context.Context) (Verdict, string) {
	p, of := k.problem()
	f := k.solve(ctx, p, k.Model, k.log.name, func() []history.Op { return k.ops(of) })
	k.until = f.until
	switch {
	case f.verdict == OK && k.Certify:
		for i, n := range f.order {
			f.order[i] = int(of[n])
		}
		f.verdict = k.certifyKey(f.order)
	case f.verdict == Unknown && k.res.Explanation == "":
		k.res.Explanation = k.gaveUp(k.log.name, k.log.len)
	}
	return f.verdict, f.engine
}

// problem lays the key out for the general search, and tells the entries of
// its operations. Where writes are named the model has to be asked, since a
// log holds no names.
func (k *keyCheck) problem() (p *problem, of []int32) {
	if k.log.outside&named == 0 {
		return k.log.problem()
	}
	for i := range int32(k.log.len) {
		if k.log.entry(i).kind != silent {
			of = append(of, i)
		}
	}
	return modelProblem(k.Model, k.log.name, k.ops(of)), of
}

// op fetches the operation of an entry.
func (k *keyCheck) op(i int32) history.Op {
	if k.fetch == nil {
		return k.log.op(i)
	}
	return k.fetch(int(k.log.entry(i).at))
}

func (k *keyCheck) ops(of []int32) []history.Op {
	ops := make([]history.Op, len(of))
	for i, n := range of {
		ops[i] = k.op(n)
	}
	return ops
}

// certifyKey verifies an order of entries.
func (k *keyCheck) certifyKey(order []int) Verdict {
	v := k.res.certify(k.Model, k.log.name, k.all(), order)
	if v == OK {
		for i, n := range order {
			order[i] = int(k.log.entry(int32(n)).at)
		}
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
