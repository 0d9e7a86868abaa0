// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

const (
	// takenWithin is how many ticks it may take until the agent of an attached host takes
	// up what is asked of it, and until DrummerDB has what became of it: less than an
	// operation's deadline, and longer than a network that holds everything back for some
	// seconds at a time makes of it.
	takenWithin = 8
	// parallel is how many requests an agent carries out at a time.
	parallel = 32
)

// taken is takenWithin as a time, where disks are as fast as they are.
func (a *Auditor) taken() time.Duration { return takenWithin*time.Second + a.slack }

// judgeDelivery is about operations in flight whose host has been attached to the leader
// for a while: it is asked for them, and what it answers is written down.
func (a *Auditor) judgeDelivery() {
	for i := range a.truth.Hosts {
		h := &a.truth.Hosts[i]
		w, known := a.hosts[h.Address], a.last.Hosts.At(h.ID)
		heard := known != nil && !known.Silent // what it says arrives
		if w.server == "" || a.now-w.since < a.taken() || a.last.Tick-w.tick < takenWithin {
			continue
		}
		busy := map[uint64]bool{} // clusters
		for _, op := range a.last.Operations.All() {
			if id := op.GetId(); op.GetRequest().GetNodehostId() == h.ID && h.Taken[id] && !h.Answered[id] {
				busy[op.GetRequest().GetClusterId()] = true
			}
		}
		for id, op := range a.last.Operations.All() {
			r := op.GetRequest()
			if r.GetNodehostId() != h.ID || a.last.Tick-op.GetDecidedAtTick() < takenWithin+uint64(a.slack/time.Second) {
				continue
			}
			if !h.Taken[id] && !busy[r.GetClusterId()] && len(h.Taken)-len(h.Answered) < parallel {
				a.breach(awareness, r.GetClusterId(), "operation %d (%s) was decided %d ticks ago, and its host, which is attached to the leader since %v, was not asked for it",
					id, db.Describe(r), a.last.Tick-op.GetDecidedAtTick(), w.since)
			}
			if a.lasts("answered "+h.ID+" "+db.Describe(r), heard && h.Answered[id], a.taken()) {
				a.breach(awareness, r.GetClusterId(), "operation %d (%s) was answered by its host %v ago, which is attached to the leader since %v, and is in flight", id, db.Describe(r), a.taken(), w.since)
			}
		}
	}
	a.judgeEffects()
}

// claimed is a membership change of which a host said that it is done.
type claimed struct {
	operation uint64
	request   *pb.Request
	until     time.Duration
}

// awaitEffects notes which operations ended as done, without the membership showing it
// yet; and what none should end with.
func (a *Auditor) awaitEffects(before, after *db.State, t told) {
	for _, e := range t {
		if e.GetKind() != pb.EventOperationEnded {
			continue
		}
		op := before.Operations.At(e.GetOperationId())
		if e.GetCode() == pb.ResultCode_REFUSED && strings.Contains(e.GetText(), "the request comes from Drummer's term") {
			a.breach(promises, e.GetClusterId(), "the present leader was refused as a former one: %s", e.GetText())
		}
		if op == nil || e.GetCode() != pb.ResultCode_DONE || !changes(op.GetRequest().GetKind()) {
			continue
		}
		if c := after.Clusters.At(e.GetClusterId()); c != nil && c.Image.CCID <= op.GetRequest().GetConfigChangeId() {
			a.done = append(a.done, claimed{op.GetId(), op.GetRequest(), a.now + a.known()})
		}
	}
}

func changes(kind pb.RequestKind) bool {
	return kind == pb.RequestKind_ADD_OBSERVER || kind == pb.RequestKind_PROMOTE || kind == pb.RequestKind_REMOVE_NODE
}

// judgeEffects looks whether what was claimed to be done shows. Hosts read a membership
// linearizably before they report it, which takes a leader.
func (a *Auditor) judgeEffects() {
	done := a.done
	a.done = nil
	for _, x := range done {
		c := a.last.Clusters.At(x.request.GetClusterId())
		switch {
		case c == nil || c.Spec == nil || c.Image.CCID > x.request.GetConfigChangeId() || c.FirstNodeID > x.request.GetNodeId():
		case a.now < x.until || !a.ledFor(x.request.GetClusterId(), a.known()):
			a.done = append(a.done, x)
		default:
			a.breach(awareness, c.ID, "operation %d (%s) ended as done, and %v later no membership shows it", x.operation, db.Describe(x.request), a.known())
		}
	}
}
