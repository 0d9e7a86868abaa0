// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

type writeStallSettings struct {
	Max time.Duration `key:"max" optional:"true" doc:"A longer time without a completed write is a violation, unless the cluster had no quorum for at least half of it. Absent: it is only measured."`
}

var _ = define(Check{
	Key:          "write_stall",
	Name:         "write stall",
	Doc:          "No cluster goes longer than the limit without completing a write, unless it has no quorum for at least half of that time.",
	Needs:        []Need{needClusters, needStalls},
	AfterHealing: true,
}, judgeWriteStall)

// judgeWriteStall asks that every cluster was asked for a write.
func judgeWriteStall(j *judgement, f *Facts, s *writeStallSettings) string {
	longest, excused, longestExcused, limit := int64(0), 0, int64(0), int64(s.Max)
	j.measured = limit == 0
	for _, c := range f.Clusters {
		asked := false
		for _, x := range f.Stalls {
			if x.Cluster != c.Cluster {
				continue
			}
			took := x.To - x.From
			long := limit > 0 && took > limit
			switch {
			case x.Excused:
				excused, longestExcused = excused+1, max(longestExcused, took)
			case x.Unsure && long:
				j.inconclusive("cluster %d completed no write for %s, from %s on, more than the limit of %s; whether clients waited for one at the beginning was not recorded",
					x.Cluster, seconds(took), seconds(x.From), seconds(limit))
			case long:
				j.violation("cluster %d completed no write for %s, from %s on; the limit is %s", x.Cluster, seconds(took), seconds(x.From), seconds(limit))
			}
			if !x.Excused && !x.Unsure {
				longest = max(longest, took)
			}
			asked = asked || !x.Unsure
		}
		if !asked {
			j.inconclusive("cluster %d was asked for no write", c.Cluster)
		}
	}
	text := fmt.Sprintf("the longest stall was %s", seconds(longest))
	if excused > 0 {
		text += fmt.Sprintf("; %d stalls are excused, for most of which there was no quorum, the longest of %s", excused, seconds(longestExcused))
	}
	return text
}

// WriteStalls returns for each cluster of a history the longest time during
// which writes were asked for and none was completed: from the end of a write,
// or the call of the first, to the end of the next, or to until for one that
// never came. The longest time for which excused reports true (nil: none) is a stall of
// its own.
//
// A write of unknown outcome was asked for at its call, and perhaps until its
// client called again. If that makes for a longer stall, there is an Unsure one,
// too. A client that never called again is taken to have given up at once.
func WriteStalls(ops []history.Op, until int64, excused func(cluster uint64, from, to int64) bool) []Stall {
	calls := make(map[int64][]int64) // by client, in order
	byCluster := make(map[uint64][]asked)
	for i := range ops {
		calls[ops[i].Client] = append(calls[ops[i].Client], ops[i].Call)
	}
	for _, c := range calls {
		slices.Sort(c)
	}
	for i := range ops {
		if ops[i].Kind.Mutates() {
			byCluster[ops[i].Cluster] = append(byCluster[ops[i].Cluster], askedOf(&ops[i], calls[ops[i].Client]))
		}
	}
	stalls := []Stall{}
	for _, cluster := range sortedKeys(byCluster) {
		w := waits{cluster: cluster, asked: byCluster[cluster], excused: excused}
		stalls = append(stalls, w.longest(until)...)
	}
	return stalls
}

// asked is a write, and until when its client wanted it.
type asked struct {
	*history.Op
	surely, perhaps int64
}

func askedOf(op *history.Op, calls []int64) asked {
	if op.Outcome != history.Unknown {
		return asked{op, op.Return, op.Return}
	}
	a := asked{op, op.Call, op.Call}
	if i, _ := slices.BinarySearch(calls, op.Call+1); i < len(calls) {
		a.perhaps = calls[i]
	}
	return a
}

// completed reports whether the write was carried out. A cas that was told another
// value was, too.
func (a asked) completed() bool {
	return a.Outcome == history.OK || a.Outcome == history.Fail && (a.Refuted || a.Observed.Stated())
}

// waits are the times in which a cluster's clients waited for writes.
type waits struct {
	cluster uint64
	asked   []asked
	excused func(cluster uint64, from, to int64) bool
}

// longest returns the longest stall of each sort. The first one is there in any
// case.
func (w *waits) longest(until int64) []Stall {
	slices.SortStableFunc(w.asked, func(a, b asked) int { return cmp.Compare(a.Call, b.Call) })
	var ends []int64
	for _, a := range w.asked {
		if a.completed() {
			ends = append(ends, a.Return)
		}
	}
	slices.Sort(ends)
	first := w.asked[0].Call
	sure := Stall{Cluster: w.cluster, From: first, To: first}
	bad, unsure := sure, sure
	w.between(ends, until, func(a asked) int64 { return a.surely }, func(from, to int64) {
		if to-from <= min(sure.To-sure.From, bad.To-bad.From) {
			return
		}
		s := &sure
		if w.excused != nil && w.excused(w.cluster, from, to) {
			s = &bad
		}
		if to-from > s.To-s.From {
			s.From, s.To = from, to
		}
	})
	w.between(ends, until, func(a asked) int64 { return a.perhaps }, func(from, to int64) {
		if to-from > unsure.To-unsure.From && (w.excused == nil || !w.excused(w.cluster, from, to)) {
			unsure.From, unsure.To = from, to
		}
	})
	stalls := []Stall{sure}
	if bad.To > bad.From {
		bad.Excused = true
		stalls = append(stalls, bad)
	}
	if unsure.To-unsure.From > sure.To-sure.From {
		unsure.Unsure = true
		stalls = append(stalls, unsure)
	}
	return stalls
}

// between calls each with every time in which a write was asked for and that
// ends with the end of one, or with until. Writes are asked for until wanted.
func (w *waits) between(ends []int64, until int64, wanted func(asked) int64, each func(from, to int64)) {
	next, from := 0, w.asked[0].Call
	for i := 0; i <= len(ends); i++ {
		last := until
		if i < len(ends) {
			last = ends[i]
		}
		for next < len(w.asked) && wanted(w.asked[next]) <= from && (w.asked[next].Call < from || w.asked[next].completed()) {
			next++
		}
		// It begins when something is asked for after the last end.
		if next < len(w.asked) && w.asked[next].Call < last {
			each(max(from, w.asked[next].Call), last)
		}
		from = last
	}
}
