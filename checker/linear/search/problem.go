// SPDX-License-Identifier: Apache-2.0

package search

import (
	"cmp"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Problem is what the general search works on: the operations of one part of
// a history, and what each does in each state. States are small numbers.
type Problem struct {
	call, ret []int64 // ret is history.Never for an unknown outcome
	// class gives operations that do the same in every state the same number;
	// classes counts them.
	class []int32
	// pure marks operations that leave every state as it is in which they
	// are legal.
	pure []bool
	init int32
	// unobserved is a state, 0 for none, that only operations marked in leaves
	// leave and in which those marked in needs, which have to be done, are
	// illegal.
	unobserved    int32
	leaves, needs []bool
	// step does an operation in a state: the state after it, or illegal.
	step func(state, op int32) int32
	// held returns the bytes that the states of step take.
	held func() int64
}

const illegal int32 = -1

// turn is a return of a definite operation, and what was called between the
// return before it and this one: the search goes from turn to turn.
type turn struct {
	op int32
	// open is where in plan.open the operations begin that are definite, were
	// called before this return, and return no earlier.
	open, openEnd int32
	// fresh is where in plan.fresh those begin that were called since the
	// last turn.
	fresh, freshEnd int32
}

// plan is a problem laid out along time.
type plan struct {
	*Problem
	turns []turn
	open  []int32 // sorted by return within each turn
	fresh []int32
	// bit is the place of a definite operation in the set of those that are
	// done and have not returned; places are used again.
	bit []int32
	// at is the turn in which a definite operation returns.
	at    []int32
	words int // of 64 places
	// group numbers the classes of operations of unknown outcome; -1 for an
	// operation that is definite. members lists each group by call.
	group   []int32
	members [][]int32
	// avail is, for each turn and group, how many members were called before
	// it.
	avail []uint16
	// lastLeaving and lastNeeding are the last turns in which an operation of
	// leaves or needs is fresh; lastLeaving is past the end if one of unknown
	// outcome is there.
	lastLeaving, lastNeeding int
}

// layOut plans a problem; false if it would take more than limit bytes.
func layOut(p *Problem, limit int64) (*plan, bool) {
	pl := &plan{Problem: p, bit: make([]int32, len(p.call)), at: make([]int32, len(p.call)), group: make([]int32, len(p.call))}
	if !pl.groups() {
		return nil, false
	}
	definite := make([]int32, 0, len(p.call))
	for i := range p.call {
		if p.ret[i] != history.Never {
			definite = append(definite, int32(i))
		}
	}
	byCall := slices.Clone(definite)
	slices.SortStableFunc(byCall, func(a, b int32) int { return cmp.Compare(p.call[a], p.call[b]) })
	slices.SortStableFunc(definite, func(a, b int32) int { return cmp.Compare(p.ret[a], p.ret[b]) })
	rank := pl.at // the place in the order of returns is the turn
	for i, op := range definite {
		rank[op] = int32(i)
	}
	if int64(len(definite))*int64(len(pl.members))*2 > limit/4 {
		return nil, false
	}
	var now, free []int32
	used := int32(0)
	next := 0
	called := make([]int, len(pl.members))
	for _, op := range definite {
		t := turn{op: op, open: int32(len(pl.open)), fresh: int32(len(pl.fresh))}
		for next < len(byCall) && p.call[byCall[next]] <= p.ret[op] {
			c := byCall[next]
			next++
			pl.bit[c], used, free = place(used, free)
			pl.fresh = append(pl.fresh, c)
			i, _ := slices.BinarySearchFunc(now, rank[c], func(o, r int32) int { return cmp.Compare(rank[o], r) })
			now = slices.Insert(now, i, c)
		}
		pl.open = append(pl.open, now...)
		t.openEnd, t.freshEnd = int32(len(pl.open)), int32(len(pl.fresh))
		for g, members := range pl.members {
			for called[g] < len(members) && p.call[members[called[g]]] <= p.ret[op] {
				called[g]++
			}
			pl.avail = append(pl.avail, uint16(called[g]))
		}
		pl.turns = append(pl.turns, t)
		now = now[1:] // op: it returns first
		free = append(free, pl.bit[op])
		if int64(len(pl.open))*4 > limit/4 {
			return nil, false
		}
	}
	pl.words = (int(used) + 63) / 64
	pl.lastLeaving, pl.lastNeeding = pl.lastFresh(p.leaves), pl.lastFresh(p.needs)
	return pl, true
}

func place(used int32, free []int32) (bit, nowUsed int32, nowFree []int32) {
	if n := len(free); n > 0 {
		return free[n-1], used, free[:n-1]
	}
	return used, used + 1, free
}

// groups sorts the operations of unknown outcome into groups of one class;
// false if a group is too big to be counted.
func (pl *plan) groups() bool {
	of := make(map[int32]int32)
	var unknown []int32
	for i := range pl.call {
		pl.group[i] = -1
		if pl.ret[i] == history.Never {
			unknown = append(unknown, int32(i))
		}
	}
	slices.SortStableFunc(unknown, func(a, b int32) int { return cmp.Compare(pl.call[a], pl.call[b]) })
	for _, op := range unknown {
		g, ok := of[pl.class[op]]
		if !ok {
			g = int32(len(pl.members))
			of[pl.class[op]] = g
			pl.members = append(pl.members, nil)
		}
		pl.group[op] = g
		if pl.members[g] = append(pl.members[g], op); len(pl.members[g]) > 60000 {
			return false
		}
	}
	return true
}

func (pl *plan) lastFresh(marked []bool) int {
	if pl.unobserved == 0 {
		return 0
	}
	for i, m := range marked {
		if m && pl.group[i] >= 0 {
			return len(pl.turns)
		}
	}
	for n := len(pl.turns) - 1; n >= 0; n-- {
		t := &pl.turns[n]
		for _, op := range pl.fresh[t.fresh:t.freshEnd] {
			if marked[op] {
				return n
			}
		}
	}
	return -1
}
