// SPDX-License-Identifier: Apache-2.0

package writers

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
	"github.com/drumbeat-raft/drumbeat/checker/linear/zones"
)

// Key is a key whose operations name the writes that they saw.
type Key struct {
	conflict []history.Op
	tried    int // sets of assumptions
}

// Judge judges the operations of the key named part by the names of writes. The
// verdict is Unknown if names don't decide it, or not with a bounded effort or
// before ctx ends; why says what is missing. An OK comes with an order that was
// verified: positions in ops.
func Judge(ctx context.Context, m model.Model, part string, ops []history.Op) (k *Key, v model.Verdict, order []int, why string) {
	k = new(Key)
	n, err := gather(ops)
	if err != nil {
		return k, model.Unknown, nil, err.Error()
	}
	s := newSolver(ctx, m, part, n)
	v, order = s.run()
	k.tried = s.tried
	if v == model.Violation {
		k.conflict = s.conflict()
	}
	return k, v, order, s.why
}

// Conflict returns operations that make a key illegal that was judged so; nil
// stands for all. Puts and deletes among them may have lost the name of what
// they replaced.
func (k *Key) Conflict() []history.Op { return k.conflict }

// solver looks for the writes that operations without names saw.
type solver struct {
	ctx   context.Context
	model model.Model
	part  string
	*replacements
	zones zones.Judge
	// root is what is known without any assumption.
	root *reads
	// byValue holds the writes by what they left, as far as that is known at
	// the root; vague the others.
	byValue map[history.Value][]int32
	vague   []int32
	tried   int    // sets of assumptions
	work    int    // operations looked at
	why     string // there is no verdict
	// blamed are the operations that made choices fail.
	blamed map[int]bool
}

// maxWork bounds the search, in operations looked at, to a few seconds; and its
// memory, since a set of assumptions holds some thirty bytes an operation. Keys of
// 8,000 operations were seen to need some hundred sets.
const maxWork = 40_000_000

func newSolver(ctx context.Context, m model.Model, part string, n *writes) *solver {
	return &solver{ctx: ctx, model: m, part: part, replacements: newReplacements(n), root: newReads(n), byValue: make(map[history.Value][]int32), blamed: make(map[int]bool)}
}

func (s *solver) run() (model.Verdict, []int) {
	s.root.byNames()
	for w := range s.at {
		if v := s.root.left[w]; v.Stated() {
			s.byValue[v] = append(s.byValue[v], int32(w))
		} else {
			s.vague = append(s.vague, int32(w))
		}
	}
	verdict, order := s.solve(s.root.clone())
	if verdict == model.Violation && s.why != "" {
		verdict = model.Unknown
	}
	return verdict, order
}

// solve judges what is known and assumed; a Violation says that the
// assumptions are wrong.
func (s *solver) solve(r *reads) (model.Verdict, []int) {
	s.tried++
	choice, from := s.propagate(r)
	if s.work += len(s.ops); s.work > maxWork || s.ctx.Err() != nil {
		s.why = "there are too many ways in which writes can have been seen"
		return model.Unknown, nil
	}
	if s.refuted(r) {
		return model.Violation, nil
	}
	if choice == none {
		return s.settle(r)
	}
	s.blameChoices(r, choice)
	for _, w := range from {
		next := r.clone()
		next.saw(choice, w)
		if v, order := s.solve(next); v != model.Violation {
			return v, order
		}
	}
	return model.Violation, nil
}

// propagate fills in what only one write can have been seen by, until nothing
// is left to fill in. It returns the operation with the fewest choices that is
// left, or none.
func (s *solver) propagate(r *reads) (choice int, from []int32) {
	for again := true; again && r.wrong == nil; {
		again, choice, from = false, none, nil
		open := r.open
		r.open = nil // where saw adds what it opens
		for _, i := range open {
			if r.wrong != nil {
				break
			}
			if r.source[i] != none {
				continue
			}
			can, known := s.choices(r, i)
			switch {
			case !known:
				r.open = append(r.open, i)
			case len(can) == 0:
				r.contradict(i)
				s.blameChoices(r, i)
			case len(can) == 1:
				r.saw(i, can[0])
				again = true
			default:
				r.open = append(r.open, i)
				if choice == none || len(can) < len(from) {
					choice, from = i, can
				}
			}
		}
	}
	return choice, from
}

// choices returns the writes that an open operation can have seen, the likely
// ones first; known is false if any would do.
func (s *solver) choices(r *reads, i int) (can []int32, known bool) {
	v, known, possible := r.wants(i)
	if !known || !possible {
		return nil, known
	}
	by := s.number[i]
	try := func(w int32) {
		next := r.next[w]
		switch {
		case next != none && (by != none || s.op(next).End() < s.ops[i].Call):
		case r.left[w].Stated() && !v.is(r.left[w]):
		case s.between(w, i) != none:
		default:
			can = append(can, w)
		}
	}
	s.eachSource(i, v, try)
	slices.SortFunc(can, func(a, b int32) int { return s.prefer(r, a, b) })
	return can, true
}

// prefer orders the writes that an operation can have seen: first those that
// took effect, the latest call first; then those that may have, the earliest
// first, which leaves the most room.
func (s *solver) prefer(r *reads, a, b int32) int {
	switch {
	case a == b:
		return 0
	case r.effective[a] != r.effective[b]:
		if r.effective[a] {
			return -1
		}
		return 1
	case !r.effective[a]:
		return cmp.Compare(s.op(a).Call, s.op(b).Call)
	case a == initial:
		return 1
	case b == initial:
		return -1
	}
	return cmp.Compare(s.op(b).Call, s.op(a).Call)
}

// eachSource calls try with the writes that may have left a value to
// operation i, as far as can be told from them alone.
func (s *solver) eachSource(i int, v wanted, try func(int32)) {
	end, by := s.ops[i].End(), s.number[i]
	inTime := func(w int32) bool { return w != by && (w == initial || s.op(w).Call <= end) }
	each := func(writes []int32) {
		s.work += len(writes)
		for _, w := range writes {
			if inTime(w) {
				try(w)
			}
		}
	}
	each(s.byValue[v.value])
	if v.empty {
		each(s.byValue[history.Absent])
	}
	if !v.value.IsText() {
		return
	}
	s.work += len(s.vague)
	for _, w := range s.vague {
		if inTime(w) && strings.HasSuffix(v.value.Text(), s.op(w).Value.Text()) {
			try(w)
		}
	}
}

// refuted reports whether what is known and assumed can't be, and notes why.
func (s *solver) refuted(r *reads) bool {
	if i := r.refuted(); i != none {
		r.contradict(i)
	}
	if r.wrong != nil {
		for _, i := range r.wrong {
			s.blame(i)
			s.blameRun(r, r.source[i])
			s.blameRun(r, r.number[i])
		}
		return true
	}
	if s.zones.Run(r.entries()) != zones.Linearizable {
		clash, start := s.zones.Clash()
		s.blameClash(r, clash, start)
		return true
	}
	return false
}

// settle makes an order of what the zones found linearizable.
func (s *solver) settle(r *reads) (model.Verdict, []int) {
	order := s.zones.Order()
	if err := model.Verify(s.model, s.part, s.ops, order); err != nil {
		// What a free append leaves may be what a cas says was not there.
		s.why = err.Error()
		return model.Violation, nil
	}
	return model.OK, order
}
