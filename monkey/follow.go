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
	followEvery = 500 * time.Millisecond
	followLimit = 1000 // events a call
	followTry   = 5 * time.Second
)

// follow copies Drummer's own event log into the run's events until ctx ends.
// An event's time in the log is when it was heard of, at most followEvery late
// while Drummer answers.
func (r *runner) follow(ctx context.Context) {
	after := uint64(0)
	for sleep(ctx, followEvery) {
		after = r.copyEvents(ctx, after)
	}
	// What happened since the last look.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), followTry)
	defer cancel()
	r.copyEvents(last, after)
}

// copyEvents copies what came after a sequence number, and returns the new one.
func (r *runner) copyEvents(ctx context.Context, after uint64) uint64 {
	for {
		asked, cancel := context.WithTimeout(ctx, followTry)
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
