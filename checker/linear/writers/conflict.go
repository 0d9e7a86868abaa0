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
// what they began with, and who saw them.
func (s *solver) blameRun(r *reads, w int32) {
	if w == none {
		return
	}
	isAppend := func(w int32) bool { return w != none && w != initial && s.op(w).Kind == history.Append }
	for isAppend(w) && r.source[s.at[w]] != none {
		w = r.source[s.at[w]]
	}
	run := map[int32]bool{w: true}
	for w = r.next[w]; w != none; w = r.next[w] {
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
	s.eachSource(v, func(w int32) {
		if w == initial {
			return
		}
		s.blame(s.at[w])
		if by := r.next[w]; by != none {
			s.blame(s.at[by])
		}
	})
}

// conflict returns operations that are illegal for a reason of the whole: those
// that are blamed, with the writes that they name, if that is enough; else
// nil, which stands for all.
func (s *solver) conflict() []int {
	list := slices.Collect(maps.Keys(s.blamed))
	for at := 0; at < len(list); at++ {
		w := s.root.source[list[at]]
		if w == none || w == initial || s.blamed[s.at[w]] {
			continue
		}
		s.blame(s.at[w])
		list = append(list, s.at[w])
	}
	if len(list) == len(s.ops) {
		return nil
	}
	slices.Sort(list)
	set := make([]history.Op, len(list))
	for i, n := range list {
		set[i] = s.ops[n]
	}
	n, err := gather(set)
	if err != nil {
		return nil
	}
	if v, _ := newSolver(s.ctx, s.model, s.part, n).run(); v != model.Violation {
		return nil
	}
	return list
}
