// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"context"
	"strings"
	"time"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

const (
	followEvery = 5 * time.Second
	followLimit = 1000 // events a call
)

// follow copies Drummer's own event log into the run's events until ctx ends.
// Drummer keeps a bounded number of events, so it is asked often.
func (r *runner) follow(ctx context.Context) {
	after := uint64(0)
	for sleep(ctx, followEvery) {
		after = r.copyEvents(ctx, after)
	}
	// What happened since the last look.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), followEvery)
	defer cancel()
	r.copyEvents(last, after)
}

// copyEvents copies what came after a sequence number, and returns the new one.
func (r *runner) copyEvents(ctx context.Context, after uint64) uint64 {
	for {
		asked, cancel := context.WithTimeout(ctx, followEvery)
		out, err := r.drummer.ListEvents(asked, after, followLimit)
		cancel()
		if err != nil {
			return after // Drummer is asked again soon
		}
		for _, ev := range out.GetEvents() {
			after = ev.GetSequence()
			r.events.Add(decision(ev))
		}
		if len(out.GetEvents()) < followLimit {
			return after
		}
	}
}

func decision(ev *pb.Event) rundir.Event {
	out := rundir.Event{Kind: rundir.Decision, Op: ev.GetKind(), Cluster: ev.GetClusterId(), Node: ev.GetNodeId(),
		Index: ev.GetDbIndex(), Text: ev.GetText()}
	if ev.GetRequest() != 0 {
		out.Request = strings.ReplaceAll(strings.ToLower(ev.GetRequest().String()), "_", "-")
	}
	if ev.GetNodehostId() != "" {
		out.Hosts = []string{ev.GetNodehostId()}
	}
	return out
}
