// SPDX-License-Identifier: Apache-2.0

package writers

import (
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

func (s *solver) blame(ops ...int) {
	for _, i := range ops {
		s.blamed[i] = true
	}
}

// blameRun blames all that tells what a write left: the appends around it,
// what they began with, and who saw them. Where writes are wrong they may have
// replaced each other in a ring.
func (s *solver) blameRun(r *reads, w int32) {
	if w == none {
		return
	}
	isAppend := func(w int32) bool { return w != none && w != initial && s.op(w).Kind == history.Append }
	for met := map[int32]bool{}; isAppend(w) && r.source[s.at[w]] != none && !met[w]; {
		met[w] = true
		w = r.source[s.at[w]]
	}
	run := map[int32]bool{w: true}
	for w = r.next[w]; w != none && !run[w]; w = r.next[w] {
		s.blame(s.at[w])
		if !isAppend(w) {
			break
		}
		run[w] = true
	}
	for w := range run {
		if w != initial {
			s.blame(s.at[w])
		}
	}
	for i, from := range r.source {
		if from != none && run[from] && observes(&s.ops[i]) {
			s.blame(i)
		}
	}
}

// blameChoices blames an open operation, all that it can have seen, and what
// saw and replaced that before.
func (s *solver) blameChoices(r *reads, i int) {
	s.blame(i)
	s.blameRun(r, s.number[i])
	v, known, possible := r.wants(i)
	if !known || !possible {
		return
	}
	// Of the writes that were replaced before, one is enough to show it.
	replaced, by := int32(none), int32(none)
	s.eachSource(i, v, func(w int32) {
		if x := s.between(w, i); x != none {
			if replaced <= initial || w != initial && s.op(w).Call > s.op(replaced).Call {
				replaced, by = w, x
			}
			return
		}
		s.blameRun(r, w)
		if next := r.next[w]; next != none {
			s.blame(s.at[next])
		}
	})
	if replaced != none {
		s.blameRun(r, replaced)
		s.blame(s.at[by])
	}
}

// blameClash blames operations that clash in the zones, and the chains of
// writes between them, back to the first that does not depend on what it
// replaced; start says that the initial state clashes, too.
func (s *solver) blameClash(r *reads, clash []int, start bool) {
	s.blame(clash...)
	clashes := map[int32]bool{initial: start}
	state := func(i int) int32 {
		if w := s.number[i]; w != none {
			return w
		}
		return r.source[i]
	}
	for _, i := range clash {
		clashes[state(i)] = true
		if s.number[i] != none {
			s.blameWitness(r, s.number[i])
		}
	}
	for _, i := range clash {
		var path []int
		needed := 0
		met := make(map[int32]bool)
		w := state(i)
		for ; w != none && w != initial && !met[w]; w = r.source[s.at[w]] {
			met[w] = true
			path = append(path, s.at[w])
			if clashes[w] {
				needed = len(path)
			}
		}
		if w != none && clashes[w] {
			needed = len(path)
		}
		for needed > 0 && needed < len(path) && s.rests(path[needed-1]) {
			needed++
		}
		s.blame(path[:needed]...)
	}
}

// rests reports whether what an operation did rests on what it replaced.
func (s *solver) rests(i int) bool {
	return s.number[i] == none || s.ops[i].Kind == history.Cas || s.ops[i].Kind == history.Append
}

// blameWitness blames an operation that saw a write of unknown outcome.
func (s *solver) blameWitness(r *reads, w int32) {
	if s.op(w).Outcome != history.Unknown {
		return
	}
	if by := r.next[w]; by != none {
		s.blame(s.at[by])
		return
	}
	if i := slices.Index(r.source, w); i >= 0 {
		s.blame(i)
	}
}

// conflict returns operations that are illegal for a reason of the whole: those
// that are blamed, with the writes that they rest on, if that is enough; else
// nil, which stands for all. Without its claim what it replaced a put or a
// delete rests on nothing.
func (s *solver) conflict() []history.Op {
	list := slices.Collect(maps.Keys(s.blamed))
	for at := 0; at < len(list); at++ {
		w := s.root.source[list[at]]
		if w == none || w == initial || s.blamed[s.at[w]] || !s.rests(list[at]) {
			continue
		}
		s.blame(s.at[w])
		list = append(list, s.at[w])
	}
	slices.Sort(list)
	set := make([]history.Op, len(list))
	for n, i := range list {
		set[n] = s.ops[i]
		if w := s.root.source[i]; w != none && w != initial && !s.blamed[s.at[w]] {
			set[n].ObservedWriter = ""
		}
	}
	n, err := gather(set)
	if err != nil {
		return nil
	}
	if v, _ := newSolver(s.ctx, s.model, s.part, n).run(); v != model.Violation {
		return nil
	}
	return set
}
