// SPDX-License-Identifier: Apache-2.0

package shrink

import (
	"slices"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// minimize keeps as few of n items as it can. with makes the candidate that has
// only those, given by their indexes in order; nil: there is no such scenario. No
// fewer than least items are removed at once. Unless the search is over first, the
// result is 1-minimal if that is 1: without any single one of what is left, the
// violation does not appear.
//
// It is the algorithm ddmin of Zeller and Hildebrandt, "Simplifying and Isolating
// Failure-Inducing Input", IEEE Transactions on Software Engineering 28(2), 2002,
// with two differences: of the subsets it tries only the empty one, for what is
// needed rarely lies close together; and after a removal it goes on behind the
// gap instead of starting over. As many removals as run side by side are tried at
// once.
func (s *search) minimize(n, least int, with func(keep []int) *scenarios.Scenario) {
	if n == 0 || s.accept([]*scenarios.Scenario{with(nil)}) == 0 {
		return
	}
	keep := make([]int, n)
	for i := range keep {
		keep[i] = i
	}
	for chunk := max((n+1)/2, least); !s.over(); {
		var removed bool
		keep, removed = s.removeChunks(keep, chunk, with)
		switch {
		case chunk > least:
			chunk = max((chunk+1)/2, least)
		case !removed:
			return
		}
	}
}

// coarse is how many of n items are removed at once, at least, where it does not
// matter whether a few of them are left.
func coarse(n int) int { return (n + 3) / 4 }

// removeChunks goes once through what is kept and removes what it can of chunks
// of a size.
func (s *search) removeChunks(keep []int, chunk int, with func(keep []int) *scenarios.Scenario) (left []int, removed bool) {
	for at := 0; at < len(keep) && !s.over(); {
		var candidates []*scenarios.Scenario
		var complements [][]int
		for from := at; from < len(keep) && len(candidates) < s.Jobs; from += chunk {
			without := slices.Delete(slices.Clone(keep), from, min(from+chunk, len(keep)))
			complements = append(complements, without)
			var c *scenarios.Scenario
			if len(without) > 0 { // the empty set was tried
				c = with(without)
			}
			candidates = append(candidates, c)
		}
		i := s.accept(candidates)
		if i < 0 {
			at += len(candidates) * chunk
			continue
		}
		keep, removed = complements[i], true
		at += i * chunk
	}
	return keep, removed
}
