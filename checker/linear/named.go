// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/explain"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/linear/writers"
)

// named is the judgement on a part by the names of writes.
type named struct {
	verdict Verdict
	order   []int // positions in the part, if the verdict is OK
	// core is a part of a violation, and why what is wrong with it.
	core []history.Op
	why  string
}

// judgeNamed judges a part whose operations all name the writes that they saw (see
// writers.Named); Unknown: it takes the general search.
//
// The names put the writes that somebody saw, or that were acknowledged, into an order,
// in linear time. Then the model is asked whether that order gives the answers. What is
// left to try are the writes of unknown outcome that nobody saw: one may stand in front
// of a write of unknown outcome that was seen, for that does not say what it replaced.
func (p *part) judgeNamed(ctx context.Context, m model.Model) named {
	if !writers.Named(p.ops) {
		return named{verdict: Unknown}
	}
	told, wrong := p.tell()
	if wrong != nil {
		return *wrong
	}
	var at, free []int
	var register []history.Op
	for i, op := range told {
		if op.Outcome == history.Unknown && op.Return != beenSeen {
			free = append(free, i)
			continue
		}
		at, register = append(at, i), append(register, writers.AsRegister(op))
	}
	k, verdict, order, _ := writers.Judge(ctx, model.Register, p.name, register)
	switch verdict {
	case Violation:
		return p.misordered(ctx, register, k.Conflict())
	case OK:
		for i, n := range order {
			order[i] = at[n]
		}
		return p.replay(ctx, m, told, order, free)
	}
	return named{verdict: Unknown}
}

// beenSeen is the Return of a write of unknown outcome that somebody saw.
const beenSeen = -1

// tell returns the operations with what others tell of them: a write of unknown outcome
// that was seen was carried out, and where the trail of who saw it says what it replaced,
// it is as if its client had been told so when the first who saw it had his answer. wrong
// is a violation: two trails contradict each other.
func (p *part) tell() (told []history.Op, wrong *named) {
	type sight struct {
		before string // the write that it replaced; empty: nobody tells
		by     int    // who tells
		until  int64  // it was carried out by then
	}
	seen := map[string]sight{}
	for i := range p.ops {
		op := &p.ops[i]
		if op.Outcome == history.Unknown {
			continue
		}
		trail := append([]string{op.ObservedWriter}, op.Trail()...)
		for n, name := range trail {
			s, known := seen[name]
			if !known {
				s = sight{by: i, until: op.Return}
			}
			s.until = min(s.until, op.Return)
			if n+1 < len(trail) {
				if s.before != "" && s.before != trail[n+1] {
					return nil, &named{verdict: Violation, core: []history.Op{p.ops[s.by], *op}, why: fmt.Sprintf(
						"client %d was told that write %s replaced %s, and client %d that it replaced %s", p.ops[s.by].Client, name, s.before, op.Client, trail[n+1])}
				}
				s.before, s.by = trail[n+1], i
			}
			seen[name] = s
		}
	}
	told = slices.Clone(p.ops)
	for i := range told {
		op := &told[i]
		s, known := seen[op.Writer]
		switch {
		case op.Outcome != history.Unknown:
		case known && s.before != "" && s.until > op.Call:
			op.Outcome, op.ObservedWriter, op.Return = history.OK, s.before, s.until
		case known:
			op.Return = beenSeen
		}
	}
	return told, nil
}

// misordered explains a part whose names can't be put into any order. conflict are
// operations as on a register; nil: all.
func (p *part) misordered(ctx context.Context, register, conflict []history.Op) named {
	small := explain.KeyValueCore(ctx, conflict, register, func(set []history.Op) bool { return illegal(ctx, model.Register, set) })
	var core []history.Op
	for _, op := range small {
		i := slices.IndexFunc(p.ops, func(o history.Op) bool { return o.Client == op.Client && o.Call == op.Call })
		core = append(core, p.ops[i])
	}
	return named{verdict: Violation, core: core, why: "with each update taken for a write of its name: " + explain.Sentence(small, nil)}
}

// maxReplayed bounds the operations that the model is asked about between two
// observations of the whole state.
const maxReplayed = 1_000_000

// replay is the search for an order of a part that gives the answers of the model.
//
// Where an operation saw the whole state, that is the state, whatever came before. So
// what lies between two such is searched by itself.
type replay struct {
	ctx   context.Context
	model model.Model
	ops   []history.Op
	told  []history.Op // with what others tell of them; for the model they are as they are
	order []int        // of what is known to have been carried out
	free  []int        // what may have been, each once
	used  []bool
	// usedSum stands for the set of those that are used (Zobrist 1970): they often commute,
	// and no set has to be tried twice from one state.
	usedSum uint64
	// until is, for a place in the order, the earliest return of what stands there or
	// later: what was called later can't stand before.
	until []int64
	done  []int // the order so far

	// Of the window that is searched:
	end    int // the place behind it
	most   int // free operations that are put into one place
	effort int
	tried  map[attempt]bool
	// What was tried went furthest to the place far, with the state that it met there.
	far    int
	met    model.State
	before []int
}

// attempt is what a place was reached with: what follows depends on nothing else.
type attempt struct {
	place, more int
	state       model.State
	used        uint64
}

// zobrist returns the random number of a free operation (the finalizer of SplitMix64).
func zobrist(i int) uint64 {
	x := (uint64(i) + 1) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (p *part) replay(ctx context.Context, m model.Model, told []history.Op, order, free []int) named {
	r := &replay{ctx: ctx, model: m, ops: p.ops, told: told, order: order, free: free, used: make([]bool, len(free)), until: make([]int64, len(order)+1)}
	r.until[len(order)] = math.MaxInt64
	for n := len(order) - 1; n >= 0; n-- {
		r.until[n] = min(r.until[n+1], told[order[n]].End())
	}
	state := m.Init(p.name)
	for n := 0; n < len(order); n = r.end {
		next := r.window(n)
		switch r.search(n, state) {
		case OK:
			state = next
		case Violation:
			if r.forced(n) {
				return r.violation(p.name)
			}
			return named{verdict: Unknown}
		default:
			return named{verdict: Unknown}
		}
	}
	return named{verdict: OK, order: r.done}
}

// window ends the window that begins at a place with the next operation that saw the
// whole state, and returns that state.
func (r *replay) window(n int) model.State {
	revealer, _ := r.model.(model.Revealer)
	for r.end = n; r.end < len(r.order); {
		op := &r.ops[r.order[r.end]]
		r.end++
		if revealer != nil {
			if s, whole := revealer.Reveals(op); whole {
				return s
			}
		}
	}
	return nil
}

// search looks for an order of the window from a place on, the fewest free operations
// first. A Violation says that there is none, even if all free operations could be had.
func (r *replay) search(n int, s model.State) Verdict {
	r.far, r.met, r.before = -1, nil, nil
	if found, all := r.deepen(n, s); found || !all {
		return verdictOf(found)
	}
	used, sum, done := r.used, r.usedSum, r.done
	r.used, r.usedSum = make([]bool, len(used)), 0
	found, all := r.deepen(n, s)
	r.used, r.usedSum, r.done = used, sum, done
	if found || !all {
		return Unknown
	}
	return Violation
}

func verdictOf(found bool) Verdict {
	if found {
		return OK
	}
	return Unknown
}

// deepen searches with more and more free operations for a place. all reports whether
// everything was tried.
func (r *replay) deepen(n int, s model.State) (found, all bool) {
	r.effort = maxReplayed
	begin := len(r.done)
	for r.most = range len(r.free) + 1 {
		r.tried = map[attempt]bool{}
		if r.from(n, s) {
			return true, true
		}
		r.done = r.done[:begin]
		if r.effort < 0 || r.ctx.Err() != nil {
			return false, false
		}
		if !slices.ContainsFunc(r.order[n:r.far+1], r.unsaid) {
			break // nothing can be put in front of what is wrong
		}
	}
	return false, true
}

// unsaid reports whether an operation does not say what it replaced: free ones may
// stand in front of it.
func (r *replay) unsaid(i int) bool { return r.told[i].Outcome == history.Unknown }

// from carries on with the place n, and reports whether that leads to the end.
func (r *replay) from(n int, s model.State) bool {
	for ; n < r.end; n++ {
		if r.unsaid(r.order[n]) {
			for more := range r.most + 1 {
				if r.insert(n, s, more) {
					return true
				}
			}
			return false
		}
		next, ok := r.step(n, s)
		if !ok {
			return false
		}
		s = next
	}
	return true
}

// insert puts so many free operations in front of the place n, in every way.
func (r *replay) insert(n int, s model.State, more int) bool {
	undo := len(r.done)
	here := attempt{n, more, s, r.usedSum}
	if r.tried[here] {
		return false
	}
	r.tried[here] = true
	if more == 0 {
		next, ok := r.step(n, s)
		if ok && r.from(n+1, next) {
			return true
		}
		r.done = r.done[:undo]
		return false
	}
	for i, f := range r.free {
		if r.used[i] || r.ops[f].Call > r.until[n] || r.effort < 0 || r.ctx.Err() != nil {
			continue
		}
		r.effort--
		next, _ := r.model.Step(s, &r.ops[f])
		if next == s {
			continue // it was refused, or makes no difference
		}
		r.used[i], r.done = true, append(r.done, f)
		r.usedSum ^= zobrist(i)
		if r.insert(n, next, more-1) {
			return true
		}
		r.usedSum ^= zobrist(i)
		r.used[i], r.done = false, r.done[:undo]
	}
	return false
}

// step carries out the operation at the place n. One of unknown outcome that was seen
// was not refused.
func (r *replay) step(n int, s model.State) (model.State, bool) {
	r.effort--
	op := &r.ops[r.order[n]]
	next, ok := r.model.Step(s, op)
	if refuser, can := r.model.(model.Refuser); can && ok && op.Outcome == history.Unknown {
		ok = !refuser.Refuses(s, op)
	}
	if !ok && n > r.far {
		r.far, r.met, r.before = n, s, slices.Clone(r.done)
	}
	r.done = append(r.done, r.order[n])
	return next, ok && r.effort >= 0
}

// run is what stands together in every order: writes that name each other, and who saw
// them.
type run struct {
	begin, end int // places
	// earliest is the first return in it, and latest the last call.
	earliest, latest int64
}

func (r *replay) runs() []run {
	var all []run
	for n, i := range r.order {
		if n == 0 || r.unsaid(i) {
			all = append(all, run{begin: n, earliest: math.MaxInt64, latest: math.MinInt64})
		}
		last := &all[len(all)-1]
		last.end, last.earliest, last.latest = n+1, min(last.earliest, r.told[i].End()), max(last.latest, r.told[i].Call)
	}
	return all
}

// forced reports whether every order of what is known to have been carried out has the
// same between the place before the window and the one where the search failed: of the
// runs there each begins after one operation of every run before was over, and so does
// each run behind.
func (r *replay) forced(begin int) bool {
	all := r.runs()
	for a := range all {
		for b := a + 1; b < len(all); b++ {
			touches := all[a].end >= begin && all[a].begin <= r.far || all[b].end >= begin && all[b].begin <= r.far
			if touches && all[a].earliest >= all[b].latest {
				return false
			}
		}
	}
	return true
}

// maxTold bounds the operations that are told before one whose answer is wrong.
const maxTold = 5

// violation says what is wrong where the search went furthest.
func (r *replay) violation(key string) named {
	wrong := &r.ops[r.order[r.far]]
	var writes []history.Op
	for _, i := range r.before {
		if r.ops[i].Kind.Mutates() {
			writes = append(writes, r.ops[i])
		}
	}
	tried := ""
	if slices.ContainsFunc(r.order[:r.far+1], r.unsaid) {
		tried = ", nor does another place for those of unknown outcome explain it"
	}
	return named{verdict: Violation,
		core: append(slices.Clone(writes[max(0, len(writes)-maxTold):]), *wrong),
		why: fmt.Sprintf("client %d %s, but by the names of the writes %d were carried out before it, after which %s held %v%s",
			wrong.Client, explain.Action(wrong), len(writes), key, r.met, tried)}
}

// addNamed takes in the verdict on a part of a history that was judged by names.
func (r *Result) addNamed(o Options, p *part, n named, ops []history.Op) {
	switch {
	case n.verdict == OK && o.Certify:
		n.verdict = r.certify(o.Model, p.name, ops, p.original(n.order))
	case n.verdict == Violation && r.Core == nil && !o.NoCore:
		r.Core, r.Explanation = n.core, n.why
	case n.verdict == Unknown:
		r.say("names alone can't judge %q: not all of its operations name what they saw, or too many of unknown outcome were seen by nobody", p.name)
	}
	r.add(KeyResult{Key: p.name, Verdict: n.verdict, Engine: Zones, Ops: len(p.ops)})
}
