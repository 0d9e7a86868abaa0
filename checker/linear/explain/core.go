// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"context"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// A core is a part of an illegal history that is illegal by itself, and for a
// reason of the whole. So operations may only be left out if that makes the
// rest easier to order: one that only observes always, one that writes only
// if nothing that is left depends on what it wrote.

// coreEffort bounds the work for a core, in operations checked.
const coreEffort = 3_000_000

// KeyValueCore returns a small core of a key that is illegal: of conflict,
// operations that are illegal by themselves, or, with nil, of all, the
// operations of the key. illegal reports whether a set certainly can't be
// ordered.
func KeyValueCore(ctx context.Context, conflict, all []history.Op, illegal func([]history.Op) bool) []history.Op {
	known := new(overwrites) // of which nothing is known to be overwritten
	if conflict == nil {
		known = newOverwrites(all)
		conflict = known.shortest(illegal)
	}
	s := &shrinker{ctx: ctx, effort: coreEffort, mayDrop: known.mayDrop, illegal: illegal}
	return s.dropClaims(byCall(s.shrink(byCall(conflict))))
}

// ModelCore does the same for a model of which nothing is known: only
// operations that it says never change a state can be left out.
func ModelCore(ctx context.Context, m model.Model, all []history.Op, illegal func([]history.Op) bool) []history.Op {
	observer, _ := m.(model.Observer)
	s := &shrinker{ctx: ctx, effort: coreEffort, illegal: illegal, mayDrop: func(set []history.Op, i int) bool {
		return observer != nil && observer.Observes(&set[i])
	}}
	return byCall(s.shrink(byCall(all)))
}

type shrinker struct {
	ctx    context.Context
	effort int
	// mayDrop reports whether the operation at i may be left out of a set.
	mayDrop func(set []history.Op, i int) bool
	// illegal reports whether a set can't be ordered; false if that is not
	// certain.
	illegal func(set []history.Op) bool
}

// shrink makes a small core of an illegal set.
func (s *shrinker) shrink(set []history.Op) []history.Op {
	for chunk := (len(set) + 1) / 2; chunk >= 1; {
		smaller := false
		for from := 0; from < len(set); {
			if s.effort -= len(set); s.effort < 0 || s.ctx.Err() != nil {
				return set
			}
			fewer := s.without(set, from, min(from+chunk, len(set)))
			if len(fewer) < len(set) && s.illegal(fewer) {
				set, smaller = fewer, true
				continue
			}
			from += chunk
		}
		if chunk == 1 && !smaller {
			break
		}
		if !smaller || chunk > 1 {
			chunk = max(1, chunk/2)
		}
	}
	return set
}

// dropClaims makes a core smaller by taking one claim from it: what a put or a
// delete says that it replaced. Without that, all that happened before it can
// go. Where writes name each other, the core would otherwise be the whole
// history of the key, each write holding the one before it.
func (s *shrinker) dropClaims(set []history.Op) []history.Op {
	for i := len(set) - 1; i >= 0; i-- {
		op := &set[i]
		if op.Kind != history.Put && op.Kind != history.Delete || op.ObservedWriter == "" {
			continue
		}
		cut := slices.Clone(set)
		cut[i].ObservedWriter = ""
		if s.effort < 0 || !s.illegal(cut) {
			continue
		}
		if fewer := s.shrink(cut); len(fewer) < len(set) {
			set = byCall(fewer)
			i = len(set)
		}
	}
	return set
}

// without leaves out what it may of set[from:to].
func (s *shrinker) without(set []history.Op, from, to int) []history.Op {
	rest := slices.Clone(set)
	drop := make([]bool, len(rest))
	for i := from; i < to; i++ {
		drop[i] = true
	}
	for again := true; again; {
		again = false
		for i := 0; i < len(rest); i++ {
			if drop[i] && s.mayDrop(rest, i) {
				rest, drop = slices.Delete(rest, i, i+1), slices.Delete(drop, i, i+1)
				i--
				again = true
			}
		}
	}
	return rest
}

// mayDependOn reports whether o may depend on what op wrote.
func mayDependOn(o, op *history.Op) bool {
	if o.ObservedWriter != "" && o.Outcome != history.Unknown {
		return o.ObservedWriter == op.Writer || op.Writer == ""
	}
	switch {
	case o.Kind == history.Append || o.Refuted:
		return true
	case op.Kind == history.Append:
		return o.Kind == history.Get || o.Kind == history.Cas
	case o.Kind == history.Get, o.Kind == history.Cas && o.Outcome == history.Fail:
		return o.Observed == written(op)
	case o.Kind == history.Cas:
		return o.Expected == written(op)
	}
	return false
}

func byCall(ops []history.Op) []history.Op {
	slices.SortStableFunc(ops, func(a, b history.Op) int { return cmp.Compare(a.Call, b.Call) })
	return ops
}
