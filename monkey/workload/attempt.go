// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"errors"
	"time"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

const (
	// triesPerTimeout is how many members are waited for in turn, at least,
	// before an operation that may be repeated times out.
	triesPerTimeout = 3
	// pausesPerTimeout is how often, at most, an operation is repeated after
	// quick refusals.
	pausesPerTimeout = 20
)

// What an error means is decided by client.OutcomeOf: only what never left the
// client and a NodeHost's own word that a proposal had no effect make it a
// failure; gRPC's Unavailable, DeadlineExceeded and Canceled on a connection
// that stood, and whatever is not understood, leave its outcome unknown, because
// the request may have arrived. Below is only what a client does next.

// hopeless lists the refusals that the same operation gets again wherever it
// goes.
var hopeless = map[pb.RaftErrorCode]bool{
	pb.RaftErrorCode_PAYLOAD_TOO_BIG: true, // every member has the same limit
	pb.RaftErrorCode_REJECTED:        true, // the cluster does not know the session (any more)
	pb.RaftErrorCode_INVALID_SESSION: true, // the NodeHost takes no such session
}

// moved lists the refusals that say that the location is out of date.
var moved = map[pb.RaftErrorCode]bool{
	pb.RaftErrorCode_CLUSTER_NOT_FOUND: true, // the member is not on that NodeHost
	pb.RaftErrorCode_NODEHOST_CLOSED:   true, // the NodeHost is being shut down
	pb.RaftErrorCode_INVALID_OPERATION: true, // it is a witness now
}

// errNobody is the error of an operation that was never sent.
var errNobody = errors.New("no member of the cluster is known")

// tries asks the members of a cluster, the first of them drawn by luck, until
// one answers.
type tries struct {
	target  Target
	cluster uint64
	luck    uint64
	timeout time.Duration // of the whole operation
	// repeat says that the operation may be sent again after an unknown
	// outcome: it has no effect, or has it at most once. One that certainly
	// had none is always sent again.
	repeat bool
}

// first returns the address that run asks first, for the history.
func (t *tries) first(ctx context.Context) (string, error) {
	members, err := t.members(ctx)
	if err != nil {
		return "", err
	}
	return members[0].Address, nil
}

// run calls try until it succeeds, the context ends or nothing better can
// come. The outcome speaks of all calls of try together.
func (t *tries) run(ctx context.Context, try func(ctx context.Context, address string) error) (client.Outcome, error) {
	outcome := client.NoEffect
	err := errNobody
	for ctx.Err() == nil {
		members, locateErr := t.members(ctx)
		if locateErr != nil {
			return outcome, errors.Join(err, locateErr)
		}
		err = t.once(ctx, members[0].Address, try)
		switch client.OutcomeOf(err) {
		case client.OK:
			return client.OK, nil
		case client.Unknown:
			outcome = client.Unknown
		}
		if code := client.RaftErrorOf(err).GetCode(); outcome == client.Unknown && !t.repeat || hopeless[code] {
			return outcome, err
		}
		t.luck++
		pause(ctx, t.timeout/pausesPerTimeout)
	}
	return outcome, err
}

// once makes one try, bounded so that others can follow.
func (t *tries) once(ctx context.Context, address string, try func(context.Context, string) error) error {
	limit := t.timeout
	if t.repeat {
		limit /= triesPerTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := try(ctx, address)
	if detail := client.RaftErrorOf(err); err != nil && (detail == nil || moved[detail.GetCode()]) {
		t.target.Forget(t.cluster)
	}
	return err
}

// members returns the members to be asked, in order: those that run if any
// does, beginning with the one that luck draws.
func (t *tries) members(ctx context.Context) ([]Member, error) {
	all, err := t.target.Locate(ctx, t.cluster)
	if err != nil {
		return nil, err
	}
	var running []Member
	for _, member := range all {
		if member.Running {
			running = append(running, member)
		}
	}
	if len(running) == 0 {
		running = all
	}
	if len(running) == 0 {
		return nil, errNobody
	}
	first := int(t.luck % uint64(len(running)))
	return append(append([]Member{}, running[first:]...), running[:first]...), nil
}

// pause waits a while, or until the context ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
