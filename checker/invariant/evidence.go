// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"regexp"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Evidence: the run did enough for its verdicts to mean something. Too few
// operations, in total or around a fault, faults without effect and faults that
// no operation met make a run inconclusive; nothing here is a violation.
func Evidence(f *Facts, ops []history.Op, l Limits) Finding {
	j := judgement{name: NameEvidence}
	var ends []int64
	for i := range ops {
		if ops[i].Outcome == history.OK {
			ends = append(ends, ops[i].Return)
		}
	}
	slices.Sort(ends)
	if len(ends) == 0 || len(ends) < l.MinOps {
		j.inconclusive("%d operations were completed; at least %d are needed", len(ends), max(1, l.MinOps))
	}
	if f.Faults == nil {
		j.inconclusive("faults were not recorded")
	}
	begin, end := span(ops)
	bit := 0
	for _, fault := range f.Faults {
		judgeFault(&j, fault, ends, begin, end, l)
		if fault.Effect > 0 {
			bit++
		}
	}
	return j.finding("%d operations were completed; %d of %d faults had an effect, all with operations before, during and after", len(ends), bit, len(f.Faults))
}

func span(ops []history.Op) (begin, end int64) {
	for i := range ops {
		last := ops[i].End()
		if last == history.Never {
			last = ops[i].Call
		}
		if i == 0 {
			begin, end = ops[i].Call, last
		}
		begin, end = min(begin, ops[i].Call), max(end, last)
	}
	return begin, end
}

func judgeFault(j *judgement, fault Fault, ends []int64, begin, end int64, l Limits) {
	if fault.Effect <= 0 && !fault.MayMiss {
		j.inconclusive("the %s of %s at %s had no effect", fault.Kind, fault.Target, seconds(fault.From))
		return
	}
	to := fault.To
	if to == 0 {
		to = max(end, fault.From)
	}
	if to < fault.From {
		j.inconclusive("the %s of %s at %s ended before it began, at %s", fault.Kind, fault.Target, seconds(fault.From), seconds(to))
		return
	}
	if fault.From >= end || to < begin {
		j.inconclusive("the %s of %s at %s met no operation: they went from %s to %s", fault.Kind, fault.Target, seconds(fault.From), seconds(begin), seconds(end))
		return
	}
	during := count(ends, fault.From, to)
	for _, part := range []struct {
		name string
		n    int
		must bool
	}{
		{"before", count(ends, begin, fault.From), true},
		// A fault of an instant has no time during it.
		{"during", during, to > fault.From},
		{"after", count(ends, to, end+1), fault.To != 0},
	} {
		if part.must && part.n < l.MinOpsAround {
			j.inconclusive("%d operations were completed %s the %s of %s at %s; at least %d are needed",
				part.n, part.name, fault.Kind, fault.Target, seconds(fault.From), l.MinOpsAround)
		}
	}
}

// count returns how many of the sorted times lie in [from, to).
func count(times []int64, from, to int64) int {
	a, _ := slices.BinarySearch(times, from)
	b, _ := slices.BinarySearch(times, to)
	return max(0, b-a)
}

// LogPatterns: no line of a log matches a forbidden pattern, but for those
// that match an allowed one.
func LogPatterns(f *Facts, l Limits) Finding {
	j := judgement{name: NameLogLines}
	if f.LogLines == nil {
		j.inconclusive("log lines were not recorded")
		return j.finding("")
	}
	if len(l.Forbidden) == 0 {
		j.inconclusive("no pattern was given")
	}
	forbidden, allowed := compile(&j, l.Forbidden), compile(&j, l.Allowed)
	matches := func(patterns []*regexp.Regexp, text string) bool {
		return slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(text) })
	}
	excused := 0
	for _, line := range f.LogLines {
		switch {
		case !matches(forbidden, line.Text):
		case matches(allowed, line.Text):
			excused++
		default:
			j.violation("%s logged at %s: %.300s", line.Host, seconds(line.At), line.Text)
		}
	}
	return j.finding("%d lines hold none of %d patterns; %d are excused", len(f.LogLines), len(forbidden), excused)
}

func compile(j *judgement, patterns []string) []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, p := range patterns {
		re, err := regexp.Compile(p)
		if err != nil {
			j.inconclusive("pattern %q: %v", p, err)
			continue
		}
		all = append(all, re)
	}
	return all
}
