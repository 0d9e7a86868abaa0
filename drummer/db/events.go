// SPDX-License-Identifier: Apache-2.0

package db

import (
	"cmp"
	"fmt"
	"slices"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// MaxEvents bounds State.Events.
const MaxEvents = 10000

// event appends to the log of events. The slice is shared with older states,
// which see only their own length of it, so appending is safe; there is one
// writer.
func (e *edit) event(ev *pb.Event, format string, args ...any) {
	ev.Sequence = e.s.NextEventSequence
	ev.DbIndex = e.s.Index
	ev.Tick = e.s.Tick
	ev.Text = fmt.Sprintf(format, args...)
	e.s.NextEventSequence++
	if n := len(e.s.Events); n >= MaxEvents {
		e.s.Events = e.s.Events[n-MaxEvents+1:]
	}
	e.s.Events = append(e.s.Events, ev)
}

// operationEvent is an event about an operation.
func operationEvent(kind string, op *pb.Operation) *pb.Event {
	r := op.GetRequest()
	return &pb.Event{
		Kind:        kind,
		ClusterId:   r.GetClusterId(),
		NodeId:      r.GetNodeId(),
		NodehostId:  r.GetNodehostId(),
		OperationId: op.GetId(),
		Request:     r.GetKind(),
	}
}

// EventsAfter returns at most limit events with a sequence above after, the
// oldest first; limit 0 means 1000.
func (s *State) EventsAfter(after uint64, limit int) []*pb.Event {
	if limit <= 0 {
		limit = 1000
	}
	i, found := slices.BinarySearchFunc(s.Events, after, func(ev *pb.Event, after uint64) int {
		return cmp.Compare(ev.Sequence, after)
	})
	if found {
		i++
	}
	return slices.Clone(s.Events[i:min(i+limit, len(s.Events))])
}
