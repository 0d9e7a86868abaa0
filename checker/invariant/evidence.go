// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"fmt"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// evidenceSettings are the limits beyond which a pass would mean too little.
// The defaults are met by a healthy run of every scenario that comes along.
type evidenceSettings struct {
	MinOperations  int           `key:"min_operations" default:"1000" max:"1000000000" doc:"At least so many operations are completed."`
	MinAround      int           `key:"min_around" default:"1" max:"1000000" doc:"At least so many operations are completed before each fault and after it, and asked for while it lasts."`
	MinOverlap     int           `key:"min_overlap_percent" default:"0" max:"100" doc:"At least this share of the operations that succeed overlaps another one on its key. Without concurrency there is little to judge."`
	MaxMissed      int           `key:"max_missed_percent" default:"10" max:"100" doc:"At most this share of the operations is missed because all clients wait."`
	MaxSkipped     int           `key:"max_skipped_percent" default:"25" max:"100" doc:"At most this share of the injections is skipped, and none of those whose time the scenario gives (at)."`
	MaxIneffective int           `key:"max_without_effect_percent" default:"25" max:"100" doc:"At most this share of the injections on the network touches nothing. A fault that is to end a process must do so."`
	MaxLate        time.Duration `key:"max_late" default:"10s" doc:"No injection whose time the scenario gives (at) begins later by more than this: it waited for a target, or for a quorum that it must not cost. A time that is drawn is as good as a later one. No action of the operator is accepted later by more."`
}

var _ = define(Check{
	Key:           "evidence",
	Name:          "evidence",
	Doc:           "Enough happened for a pass to mean something: operations in total and around each fault, faults on time and with effect. Nothing here is a violation.",
	Needs:         []Need{needHistory, needFaults},
	NeverViolates: true,
	UnlessStopped: true,
}, judgeEvidence)

func judgeEvidence(j *judgement, f *Facts, s *evidenceSettings) string {
	p := pressureOf(f.Ops)
	if n := len(p.completed); n < max(1, s.MinOperations) {
		j.inconclusive("%d operations were completed; at least %d are needed", n, max(1, s.MinOperations))
	}
	if percent := share(f.Missed, f.Asked); percent > s.MaxMissed {
		j.inconclusive("%d of %d operations were missed because all clients waited: %d %%, more than %d %%", f.Missed, f.Asked, percent, s.MaxMissed)
	}
	if overlapping, all := Overlapping(f.Ops); 100*overlapping < s.MinOverlap*all {
		j.inconclusive("%d of %d operations that succeeded overlap another one on their key, less than %d %%", overlapping, all, s.MinOverlap)
	}
	took, skipped, idle, onNetwork := 0, 0, 0, 0
	for _, x := range f.Faults {
		switch {
		case x.Skipped:
			if skipped++; x.Exact {
				j.inconclusive("the %s that the scenario wants at %s never began: %s", x, seconds(x.From), x.Reason)
			}
			continue
		case x.TookEffect:
			took++
		case x.MayMiss:
			idle++
		default:
			j.inconclusive("the %s at %s had no effect", x, seconds(x.From))
		}
		if x.MayMiss {
			onNetwork++
		}
		if s.MaxLate > 0 && x.Late > int64(s.MaxLate) {
			j.inconclusive("the %s at %s was %s late: %s", x, seconds(x.From), seconds(x.Late), x.Reason)
		}
		p.judge(j, f, x, s.MinAround)
	}
	for _, a := range f.Actions {
		if s.MaxLate > 0 && a.Late > int64(s.MaxLate) {
			j.inconclusive("the operator's %s was accepted at %s, %s late", a.What, seconds(a.At), seconds(a.Late))
		}
	}
	if percent := share(skipped, len(f.Faults)); percent > s.MaxSkipped {
		j.inconclusive("%d of %d injections were skipped, more than %d %%; the first: %s", skipped, len(f.Faults), s.MaxSkipped, firstSkipped(f.Faults))
	}
	if percent := share(idle, onNetwork); percent > s.MaxIneffective {
		j.inconclusive("%d of %d injections on the network touched nothing, more than %d %%", idle, onNetwork, s.MaxIneffective)
	}
	text := fmt.Sprintf("%d operations were completed; %d of %d faults took effect, with operations around each", len(p.completed), took, len(f.Faults))
	for _, note := range []struct {
		n    int
		what string
	}{{skipped, "skipped"}, {idle, "without effect"}} {
		if note.n > 0 {
			text += fmt.Sprintf("; %d %s", note.n, note.what)
		}
	}
	return text
}

// share is n of all in percent, rounded up: what is just over a limit is over it.
func share(n, all int) int {
	if all == 0 {
		return 0
	}
	return (100*n + all - 1) / all
}

func firstSkipped(faults []Fault) string {
	x := faults[slices.IndexFunc(faults, func(x Fault) bool { return x.Skipped })]
	return fmt.Sprintf("the %s at %s: %s", x, seconds(x.From), x.Reason)
}

// pressure is what clients asked for and got, by time.
type pressure struct {
	called, completed []int64 // times, in order
	begin, end        int64
}

func pressureOf(ops []history.Op) *pressure {
	p := &pressure{}
	for i := range ops {
		op := &ops[i]
		p.called = append(p.called, op.Call)
		last := op.Call
		if op.Outcome == history.OK {
			p.completed = append(p.completed, op.Return)
		}
		if op.Outcome != history.Unknown {
			last = op.Return
		}
		if i == 0 {
			p.begin = op.Call
		}
		p.begin, p.end = min(p.begin, op.Call), max(p.end, last)
	}
	slices.Sort(p.called)
	slices.Sort(p.completed)
	return p
}

// availabilityAfter is how long a fault has to last, in nanoseconds, for
// operations to be expected to complete during it: several elections.
const availabilityAfter = int64(10 * time.Second)

// judge asks for operations around a fault. That some complete while it lasts is
// asked only if it lasts long enough for new leaders, and left some cluster its
// quorum all the time; that some are asked for, always.
func (p *pressure) judge(j *judgement, f *Facts, x Fault, least int) {
	to := x.To
	if to == 0 {
		to = max(p.end, x.From)
	}
	if to < x.From {
		j.inconclusive("the %s at %s ended before it began, at %s", x, seconds(x.From), seconds(to))
		return
	}
	if x.From >= p.end || to < p.begin {
		j.inconclusive("the %s at %s met no operation: they went from %s to %s", x, seconds(x.From), seconds(p.begin), seconds(p.end))
		return
	}
	parts := []struct {
		what string
		n    int
		must bool
	}{
		{"completed before", count(p.completed, p.begin, x.From), true},
		{"asked for during", count(p.called, x.From, max(to, x.From+availabilityAfter)), true},
		{"completed during", count(p.completed, x.From, to), to-x.From >= availabilityAfter && keptQuorum(f, x.From, to)},
		{"completed after", count(p.completed, to, p.end+1), x.To != 0},
	}
	for _, part := range parts {
		if part.must && part.n < least {
			j.inconclusive("%d operations were %s the %s at %s; at least %d are needed", part.n, part.what, x, seconds(x.From), least)
		}
	}
}

// keptQuorum reports whether some cluster had its quorum all the time.
func keptQuorum(f *Facts, from, to int64) bool {
	return slices.ContainsFunc(f.Clusters, func(c Cluster) bool {
		return !slices.ContainsFunc(f.Outages, func(o Outage) bool { return o.Cluster == c.Cluster && o.From < to && from < o.To })
	})
}

// count returns how many of the sorted times lie in [from, to).
func count(times []int64, from, to int64) int {
	a, _ := slices.BinarySearch(times, from)
	b, _ := slices.BinarySearch(times, to)
	return max(0, b-a)
}
