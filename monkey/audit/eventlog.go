// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/db/ordmap"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// told is what the event log says of a step from one state to the next.
type told []*pb.Event

// eventsBetween are the events of a step.
func eventsBetween(before, after *db.State) told {
	i := slices.IndexFunc(after.Events, func(e *pb.Event) bool { return e.GetSequence() >= before.NextEventSequence })
	if i < 0 {
		return nil
	}
	return after.Events[i:]
}

// restored reports whether a backup was restored in a step.
func restored(before, after *db.State) bool {
	return slices.ContainsFunc(after.Events, func(e *pb.Event) bool {
		return e.GetKind() == pb.EventRestored && e.GetDbIndex() > before.Index && e.GetDbIndex() <= after.Index && e.GetSequence() >= before.NextEventSequence
	})
}

// count is how many events there are of a kind about a host, a cluster, an operation;
// none of the three: any.
func (t told) count(kind, host string, cluster, operation uint64) int {
	n := 0
	for _, e := range t {
		if e.GetKind() == kind && (host == "" || e.GetNodehostId() == host) && (cluster == 0 || e.GetClusterId() == cluster) && (operation == 0 || e.GetOperationId() == operation) {
			n++
		}
	}
	return n
}

func (t told) any(kind, host string, cluster, operation uint64) bool {
	return t.count(kind, host, cluster, operation) > 0
}

// keptEvents is how many events are kept.
const keptEvents = 10_000

// judgeEvents looks at the log by itself: each event has the next number, the index and
// the tick at which it happened, and none is lost before its time.
func (a *Auditor) judgeEvents(before, after *db.State, t told) {
	a.record.Events += len(t)
	kinds := eventKinds()
	for i, e := range t {
		switch {
		case e.GetSequence() != before.NextEventSequence+uint64(i):
			a.breach(eventLog, e.GetClusterId(), "event %d comes where number %d is due", e.GetSequence(), before.NextEventSequence+uint64(i))
		case e.GetDbIndex() <= before.Index || e.GetDbIndex() > after.Index:
			a.breach(eventLog, e.GetClusterId(), "event %d says that it is of index %d, and came between %d and %d", e.GetSequence(), e.GetDbIndex(), before.Index, after.Index)
		case e.GetTick() < before.Tick || e.GetTick() > after.Tick:
			a.breach(eventLog, e.GetClusterId(), "event %d says that it is of tick %d, and came between %d and %d", e.GetSequence(), e.GetTick(), before.Tick, after.Tick)
		case e.GetText() == "" || !kinds[e.GetKind()]:
			a.breach(eventLog, e.GetClusterId(), "event %d, of kind %q, says nothing", e.GetSequence(), e.GetKind())
		}
	}
	if want := min(keptEvents, len(before.Events)+len(t)); len(after.Events) != want || after.NextEventSequence != before.NextEventSequence+uint64(len(t)) {
		a.breach(eventLog, 0, "%d events are kept at index %d, and the next one is number %d; there were %d, and %d have come, so that it should be %d and number %d",
			len(after.Events), after.Index, after.NextEventSequence, len(before.Events), len(t), want, before.NextEventSequence+uint64(len(t)))
	}
}

func eventKinds() map[string]bool {
	kinds := map[string]bool{}
	for _, k := range pb.EventKinds {
		kinds[k.Name] = true
	}
	return kinds
}

// judgeTold compares what has changed with what the log tells.
func (a *Auditor) judgeTold(before, after *db.State, t told) {
	untold := func(changed bool, cluster uint64, what string, kinds ...string) {
		if changed && !slices.ContainsFunc(kinds, func(kind string) bool { return t.any(kind, "", cluster, 0) }) {
			a.breach(eventLog, cluster, "DrummerDB at index %d: %s, and no event tells of it", after.Index, what)
		}
	}
	untold(before.Launched != after.Launched, 0, "the deployment was launched", pb.EventLaunched)
	untold(before.Paused != after.Paused, 0, "Drummer was paused, or goes on", pb.EventPaused)
	untold(before.Version != after.Version, 0, "another version is allowed", pb.EventVersion)
	untold(after.LeaderNodeID != 0 && before.LeaderNodeID != after.LeaderNodeID, 0, "another server leads", pb.EventLeader)
	untold(len(before.Blown) != len(after.Blown), 0, "a fuse has blown, or is whole", pb.EventFuseBlown, pb.EventFuseWhole)
	for id := range ordmap.Changed(before.Hosts, after.Hosts) {
		a.judgeHostTold(before.Hosts.At(id), after.Hosts.At(id), id, t)
	}
	for id := range ordmap.Changed(before.Clusters, after.Clusters) {
		was, is := before.Clusters.At(id), after.Clusters.At(id)
		if was == nil {
			was = &db.Cluster{}
		}
		if is == nil {
			is = &db.Cluster{}
		}
		untold(!proto.Equal(was.Spec, is.Spec), id, "its specification is another one", pb.EventClusterDefined, pb.EventClusterUpdated, pb.EventClusterDeleted)
		untold(is.Image.CCID > was.Image.CCID, id, "its membership is another one", pb.EventMembership)
		untold(is.FirstNodeID > max(was.FirstNodeID, 1) && !is.Deleted && was.FirstNodeID != 0, id, "a former life of it is over", pb.EventClusterPlaced, pb.EventClusterDeleted, pb.EventClusterRecovered)
	}
	a.judgeOperationsTold(before, after, t)
}

func (a *Auditor) judgeHostTold(was, is *db.Host, id string, t told) {
	untold := func(changed bool, what, kind string) {
		if changed && !t.any(kind, id, 0, 0) {
			a.breach(eventLog, 0, "host %s %s, and no event tells of it", id, what)
		}
	}
	switch {
	case was == nil:
		untold(is != nil, "has joined", pb.EventHostJoined)
	case is == nil:
		untold(true, "was forgotten", pb.EventHostForgotten)
	default:
		untold(!was.Dead && is.Dead, "is dead", pb.EventHostDead)
		untold(was.Dead && !is.Dead && !is.Gone, "is dead no more", pb.EventHostReturned)
		untold(!was.Gone && is.Gone, "is gone", pb.EventHostGone)
		untold(was.Mode != is.Mode, "has another mode", pb.EventHostMode)
		untold((was.Info.GetSick() == "") != (is.Info.GetSick() == ""), "is sick, or well again", pb.EventHostSick)
	}
}

// judgeOperationsTold: the log tells of each operation that it was planned, and once how
// it ended; and one whose time is over is in flight no more.
func (a *Auditor) judgeOperationsTold(before, after *db.State, t told) {
	ends := func(id uint64) int {
		return t.count(pb.EventOperationEnded, "", 0, id) + t.count(pb.EventOperationExpired, "", 0, id) + t.count(pb.EventOperationOvertaken, "", 0, id)
	}
	for id, op := range after.Operations.All() {
		if id >= before.NextOperationID && !t.any(pb.EventOperationPlanned, "", 0, id) {
			a.breach(eventLog, op.GetRequest().GetClusterId(), "operation %d is in flight, and no event tells that it was planned", id)
		}
		if op.GetDeadlineTick() <= after.Tick && after.Tick > before.Tick {
			a.breach(eventLog, op.GetRequest().GetClusterId(), "operation %d was to have a result by tick %d, and is in flight at tick %d", id, op.GetDeadlineTick(), after.Tick)
		}
		if ends(id) > 0 {
			a.breach(eventLog, op.GetRequest().GetClusterId(), "operation %d is in flight at index %d, and an event tells that it ended", id, after.Index)
		}
	}
	for id, op := range before.Operations.All() {
		if _, there := after.Operations.Get(id); !there && ends(id) != 1 {
			a.breach(eventLog, op.GetRequest().GetClusterId(), "operation %d is in flight no more at index %d, and %d events tell how it ended", id, after.Index, ends(id))
		}
	}
}
