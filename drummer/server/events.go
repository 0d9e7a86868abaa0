// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"iter"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

const (
	// maxEvents bounds the events of one answer.
	maxEvents     = 10_000
	defaultEvents = 1000
)

// ListEvents pages through the event log, in either direction.
func (d *drummerService) ListEvents(ctx context.Context, req *pb.ListEventsRequest) (*pb.ListEventsResponse, error) {
	limit := int(req.GetLimit())
	switch {
	case limit == 0:
		limit = defaultEvents
	case limit > maxEvents:
		return nil, status.Errorf(codes.InvalidArgument, "%d events are too many at once, %d are allowed", limit, maxEvents)
	case req.GetSinceNs() < 0:
		return nil, status.Errorf(codes.InvalidArgument, "events since %v ago lie ahead", time.Duration(req.GetSinceNs()))
	}
	state, err := d.server.latestState(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	return &pb.ListEventsResponse{Events: selectEvents(state, req, limit, d.server.config.Tick)}, nil
}

// selectEvents are the events that a request asks for; tick is how long a tick of
// DrummerDB's clock lasts.
func selectEvents(state *db.State, req *pb.ListEventsRequest, limit int, tick time.Duration) []*pb.Event {
	since := uint64(0)
	if ago := uint64(time.Duration(req.GetSinceNs()) / tick); req.GetSinceNs() > 0 && ago < state.Tick {
		since = state.Tick - ago
	}
	wanted := func(e *pb.Event) bool {
		return e.GetTick() >= since &&
			(req.GetBeforeSequence() == 0 || e.GetSequence() < req.GetBeforeSequence()) &&
			(len(req.GetKinds()) == 0 || slices.Contains(req.GetKinds(), e.GetKind())) &&
			(req.GetClusterId() == 0 || e.GetClusterId() == req.GetClusterId()) &&
			(req.GetNodehostId() == "" || e.GetNodehostId() == req.GetNodehostId())
	}
	events := state.EventsAfter(req.GetAfterSequence(), db.MaxEvents)
	var order iter.Seq2[int, *pb.Event] = slices.All(events)
	if req.GetNewestFirst() {
		order = slices.Backward(events)
	}
	var found []*pb.Event
	for _, e := range order {
		if len(found) == limit {
			break
		}
		if wanted(e) {
			found = append(found, e)
		}
	}
	return found
}

// isRefusal reports whether an event says that an operation was not begun, or was
// not carried out for certain.
func isRefusal(e *pb.Event) bool {
	switch e.GetKind() {
	case pb.EventOperationDropped:
		return true
	case pb.EventOperationEnded:
		return e.GetCode() == pb.ResultCode_REFUSED || e.GetCode() == pb.ResultCode_FAILED
	default:
		return false
	}
}
