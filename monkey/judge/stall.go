// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// span is a time since the run's start.
type span struct{ from, to time.Duration }

func (s span) meets(o span) bool { return s.from <= o.to && o.from <= s.to }

// replacementStall measures what the replacement of a member costs a cluster
// in writes, apart from what faults cost: only replacements count during which
// no fault began or ended and nobody else came to lead, and only writes through
// hosts that no fault touched.
func (e *evidence) replacementStall() time.Duration {
	faults, longest := e.hostFaults(), time.Duration(0)
	for cluster, spans := range e.replacements() {
		var writes []history.Op
		for _, op := range e.history.Ops {
			refused := op.Outcome == history.Fail && !op.Observed.Stated() // at once, by a host that has no member
			if op.Cluster == cluster && op.Kind.Mutates() && !refused && healthy(op, faults) {
				writes = append(writes, op)
			}
		}
		for _, s := range spans {
			during := slices.DeleteFunc(slices.Clone(writes), func(op history.Op) bool {
				return op.Call < int64(s.from) || op.Call > int64(s.to)
			})
			for _, stall := range invariant.WriteStalls(during, int64(s.to), nil) {
				if !stall.Unsure {
					longest = max(longest, time.Duration(stall.To-stall.From))
				}
			}
		}
	}
	return longest
}

// afterFaults is how long after the end of a fault what happens may still be
// its doing: connections are backing off, restarted nodes catch up.
const afterFaults = 10 * time.Second

// replacements lists, by cluster, from when to when a member was replaced,
// where nobody else came to lead meanwhile and no fault but a death was at work
// or had been just before.
func (e *evidence) replacements() map[uint64][]span {
	began := map[uint64]time.Duration{}
	spans := map[uint64][]span{}
	leads := map[uint64]uint64{}
	atWork, quietFrom := 0, time.Duration(0)
	for _, ev := range e.events {
		switch {
		case ev.Kind == rundir.Decision && ev.Op == "operation-planned" && ev.Request == "add-observer":
			if _, already := began[ev.Cluster]; !already && atWork == 0 && ev.At >= quietFrom {
				began[ev.Cluster] = ev.At
			}
		case ev.Kind == rundir.FaultBegin:
			clear(began)
			if !ev.Forever {
				atWork++
			}
		case ev.Kind == rundir.FaultEnd:
			clear(began)
			atWork--
			quietFrom = ev.At + afterFaults
		case ev.Kind == rundir.Leader && ev.LeaderID != leads[ev.Cluster]:
			leads[ev.Cluster] = ev.LeaderID
			delete(began, ev.Cluster)
		case ev.Kind == rundir.Repaired:
			if from, ok := began[ev.Cluster]; ok && ev.Op == rundir.Replaced {
				spans[ev.Cluster] = append(spans[ev.Cluster], span{from, ev.At})
			}
			delete(began, ev.Cluster)
		}
	}
	return spans
}

// hostFaults lists, by host, when a fault touched it.
func (e *evidence) hostFaults() map[string][]span {
	spans := map[string][]span{}
	open := map[int]time.Duration{}
	for _, ev := range e.events {
		switch ev.Kind {
		case rundir.FaultBegin:
			open[ev.ID] = ev.At
			if ev.Forever {
				for _, h := range ev.Hosts {
					spans[h] = append(spans[h], span{ev.At, e.elapsed()})
				}
			}
		case rundir.FaultEnd:
			for _, h := range ev.Hosts {
				spans[h] = append(spans[h], span{open[ev.ID], ev.At})
			}
		}
	}
	return spans
}

// healthy tells whether no fault touched the host of an operation meanwhile.
func healthy(op history.Op, faults map[string][]span) bool {
	end := op.Return
	if op.Outcome == history.Unknown {
		end = op.Call
	}
	during := span{time.Duration(op.Call), time.Duration(end)}
	return !slices.ContainsFunc(faults[world.HostOf(op.Host)], during.meets)
}
