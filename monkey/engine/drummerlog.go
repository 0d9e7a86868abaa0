// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"time"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
)

const (
	drummerLogEvery   = 500 * time.Millisecond // between two looks
	drummerLogPage    = 1000                   // events a call
	drummerLogTimeout = 5 * time.Second        // of a call
)

// follow copies Drummer's own event log into the run's events until ctx ends.
// An event's time in the log is when it was heard of, at most drummerLogEvery late
// while Drummer answers.
func (r *runner) follow(ctx context.Context) {
	after := uint64(0)
	for sleep(ctx, drummerLogEvery) {
		after = r.copyEvents(ctx, after)
	}
	// What happened since the last look.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drummerLogTimeout)
	defer cancel()
	r.copyEvents(last, after)
}

// copyEvents copies what came after a sequence number, and returns the new one.
func (r *runner) copyEvents(ctx context.Context, after uint64) uint64 {
	for {
		asked, cancel := context.WithTimeout(ctx, drummerLogTimeout)
		out, err := r.drummer.ListEvents(asked, &pb.ListEventsRequest{AfterSequence: after, Limit: drummerLogPage})
		cancel()
		if err != nil {
			return after // Drummer is asked again soon
		}
		for _, ev := range out.GetEvents() {
			if after != 0 && ev.GetSequence() != after+1 {
				r.audit.note(r, "event_log", "Drummer was asked for the events after number %d, and told of number %d as the next one", after, ev.GetSequence())
			}
			after = ev.GetSequence()
			r.events.Add(decided(ev))
		}
		if len(out.GetEvents()) < drummerLogPage {
			return after
		}
	}
}

func decided(ev *pb.Event) timeline.Decided {
	out := timeline.Decided{Event: ev.GetKind(), Cluster: ev.GetClusterId(), Node: ev.GetNodeId(),
		NodeHost: ev.GetNodehostId(), Index: ev.GetDbIndex(), Text: ev.GetText()}
	if ev.GetRequest() != 0 {
		out.Request = timeline.RequestName(ev.GetRequest())
	}
	return out
}
