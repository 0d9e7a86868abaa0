// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Liveness: after healing every cluster answered a write and a read.
func Liveness(f *Facts) Finding {
	j := judgement{name: NameLiveness}
	if f.Probes == nil || len(f.Clusters) == 0 {
		j.inconclusive("clusters and probes have to be recorded")
		return j.finding("")
	}
	answered := make(map[uint64]map[string]bool)
	slowest := int64(0)
	for _, p := range f.Probes {
		if answered[p.Cluster] == nil {
			answered[p.Cluster] = make(map[string]bool)
		}
		answered[p.Cluster][p.Kind] = answered[p.Cluster][p.Kind] || p.OK
		if !p.OK {
			j.violation("cluster %d did not answer a %s within %s: %s", p.Cluster, p.Kind, seconds(p.Took), p.Error)
		}
		slowest = max(slowest, p.Took)
	}
	for _, c := range f.Clusters {
		for _, kind := range []string{"write", "read"} {
			if _, asked := answered[c.Cluster][kind]; !asked {
				j.inconclusive("cluster %d was not asked for a %s", c.Cluster, kind)
			}
		}
	}
	return j.finding("%d clusters answered a write and a read, the slowest after %s", len(f.Clusters), seconds(slowest))
}

// RepairTime: every member that was lost for good was replaced within the
// limit.
func RepairTime(f *Facts, l Limits) Finding {
	j := judgement{name: NameRepair}
	if f.Repairs == nil {
		j.inconclusive("repairs were not recorded")
		return j.finding("")
	}
	longest := int64(0)
	for _, r := range f.Repairs {
		if r.RepairedAt == 0 {
			j.violation("cluster %d never got a replacement for node %d, lost at %s", r.Cluster, r.Node, seconds(r.LostAt))
			continue
		}
		took := r.RepairedAt - r.LostAt
		longest = max(longest, took)
		if took < 0 {
			j.inconclusive("cluster %d: node %d was replaced at %s, before it was lost at %s", r.Cluster, r.Node, seconds(r.RepairedAt), seconds(r.LostAt))
		}
		if l.MaxRepair > 0 && took > l.MaxRepair {
			j.violation("cluster %d took %s to replace node %d; the limit is %s", r.Cluster, seconds(took), r.Node, seconds(l.MaxRepair))
		}
	}
	return j.finding("%d members were replaced, the slowest after %s", len(f.Repairs), seconds(longest))
}

// WriteStall: no cluster went longer than the limit without completing a
// write, unless it had no quorum.
func WriteStall(f *Facts, l Limits) Finding {
	j := judgement{name: NameStall}
	if f.Stalls == nil {
		j.inconclusive("write stalls were not recorded")
		return j.finding("")
	}
	longest, excused := int64(0), 0
	for _, s := range f.Stalls {
		if s.Excused {
			excused++
			continue
		}
		took := s.To - s.From
		longest = max(longest, took)
		if l.MaxStall > 0 && took > l.MaxStall {
			j.violation("cluster %d completed no write for %s, from %s on; the limit is %s", s.Cluster, seconds(took), seconds(s.From), seconds(l.MaxStall))
		}
	}
	return j.finding("the longest stall was %s; %d stalls without a quorum are excused", seconds(longest), excused)
}

// WriteStalls returns for each cluster of a history the longest time during
// which writes were asked for and none was completed: from the end of a write,
// or the call of the first, to the end of the next, or to until for one that
// never came.
func WriteStalls(ops []history.Op, until int64) []Stall {
	byCluster := make(map[uint64][]*history.Op)
	for i := range ops {
		if ops[i].Kind.Mutates() {
			byCluster[ops[i].Cluster] = append(byCluster[ops[i].Cluster], &ops[i])
		}
	}
	stalls := []Stall{}
	for _, cluster := range sortedKeys(byCluster) {
		if s, ok := longestStall(cluster, byCluster[cluster], until); ok {
			stalls = append(stalls, s)
		}
	}
	return stalls
}

func longestStall(cluster uint64, writes []*history.Op, until int64) (longest Stall, ok bool) {
	slices.SortStableFunc(writes, func(a, b *history.Op) int { return cmp.Compare(a.Call, b.Call) })
	var ends []int64
	for _, w := range writes {
		// A cas that was told another value is a completed operation, too.
		if w.Outcome == history.OK || w.Outcome == history.Fail && (w.Refuted || w.Observed.Stated()) {
			ends = append(ends, w.Return)
		}
	}
	slices.Sort(ends)
	next := 0
	from, last := writes[0].Call, int64(0)
	for i := 0; i <= len(ends); i++ {
		last = until
		if i < len(ends) {
			last = ends[i]
		}
		// The stall begins when something is asked for after the last end.
		for next < len(writes) && writes[next].Call < from && askedUntil(writes[next]) <= from {
			next++
		}
		begin := from
		if next < len(writes) {
			begin = max(from, writes[next].Call)
		}
		asked := next < len(writes) && writes[next].Call < last
		if asked && last-begin > longest.To-longest.From {
			longest, ok = Stall{Cluster: cluster, From: begin, To: last}, true
		}
		from = last
	}
	return longest, ok
}

// askedUntil returns until when a write was certainly asked for. When a client
// gave up on one of unknown outcome is not known: it counts for its call.
func askedUntil(w *history.Op) int64 {
	if w.Outcome == history.Unknown {
		return w.Call
	}
	return w.Return
}
