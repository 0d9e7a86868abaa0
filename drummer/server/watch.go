// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

const (
	// watchInterval is how often a watcher of events looks for news, and watchBatch
	// how many of them it holds at a time: a slow one holds no more than that, and no
	// state of DrummerDB.
	watchInterval = 200 * time.Millisecond
	watchBatch    = 256
	// watchConfirm is how often a watcher makes sure that its server still follows
	// DrummerDB: one that is cut off would just have no news.
	watchConfirm = 5 * time.Second
	// maxWatchers bounds them on one server.
	maxWatchers = 64
)

// WatchEvents streams events as this server applies them. Sequences are DrummerDB's, so
// a caller that goes on after the last one it has seen, on whichever server, misses none
// and has none twice.
func (f *fleetService) WatchEvents(req *pb.WatchEventsRequest, stream grpc.ServerStreamingServer[pb.Event]) error {
	defer f.server.watchers.Add(-1)
	if f.server.watchers.Add(1) > maxWatchers {
		return status.Errorf(codes.ResourceExhausted, "%d callers watch the events of this server already; ask another one, or end some of them", maxWatchers)
	}
	ctx, after := stream.Context(), req.GetAfterSequence()
	if err := f.checkWatch(ctx, after); err != nil {
		return err
	}
	poll, confirm := time.NewTicker(watchInterval), time.NewTicker(watchConfirm)
	defer poll.Stop()
	defer confirm.Stop()
	for {
		events, err := f.server.eventsAfter(after)
		if err != nil {
			return unavailable(err)
		}
		for _, event := range events {
			if err := stream.Send(event); err != nil {
				return err
			}
			after = event.GetSequence()
		}
		if len(events) == watchBatch {
			continue
		}
		select {
		case <-poll.C:
		case <-confirm.C:
			if err := f.checkWatch(ctx, after); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// checkWatch returns an error when DrummerDB can't be read as of now, or has never had
// the event to go on after.
func (f *fleetService) checkWatch(ctx context.Context, after uint64) error {
	state, err := f.server.latestState(ctx)
	if err != nil {
		return unavailable(err)
	}
	if last := state.NextEventSequence - 1; after > last {
		return status.Errorf(codes.OutOfRange, "the newest event is %d, and what comes after %d was asked for: this DrummerDB was begun anew, or restored from a backup, since that one was seen; "+
			"go on after an event of its own, or from the beginning", last, after)
	}
	return nil
}

// eventsAfter are the next events after one, as this server has them.
func (s *Server) eventsAfter(after uint64) ([]*pb.Event, error) {
	state, err := s.localState()
	if err != nil {
		return nil, err
	}
	return state.EventsAfter(after, watchBatch), nil
}
