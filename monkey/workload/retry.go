// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

const (
	// attemptsPerTimeout is how many members are waited for in turn, at least,
	// before an operation that may be repeated times out.
	attemptsPerTimeout = 3
	// backoffsPerTimeout is how often, at most, an operation is repeated after
	// quick refusals.
	backoffsPerTimeout = 20
)

// What an error means is decided by client.OutcomeOf: only what never left the
// client and a NodeHost's own word that a proposal had no effect make it a
// failure; gRPC's Unavailable, DeadlineExceeded and Canceled on a connection
// that stood, and whatever is not understood, leave its outcome unknown, because
// the request may have arrived. Below is only what a client does next.

// permanent lists the refusals that the same operation gets again from any
// member.
var permanent = map[pb.RaftErrorCode]bool{
	pb.RaftErrorCode_PAYLOAD_TOO_BIG: true, // every member has the same limit
	pb.RaftErrorCode_REJECTED:        true, // the cluster does not know the session (any more)
	pb.RaftErrorCode_INVALID_SESSION: true, // the NodeHost takes no such session
}

// staleLocation lists the refusals that say that the location is out of date.
var staleLocation = map[pb.RaftErrorCode]bool{
	pb.RaftErrorCode_CLUSTER_NOT_FOUND: true, // the member is not on that NodeHost
	pb.RaftErrorCode_NODEHOST_CLOSED:   true, // the NodeHost is being shut down
	pb.RaftErrorCode_INVALID_OPERATION: true, // it is a witness now
}

// errNoMember is the error of an operation that was never sent.
var errNoMember = errors.New("no member of the cluster is known")

// retrier sends one operation to the members of a cluster, one after the other,
// until one of them answers.
type retrier struct {
	target  Target
	cluster uint64
	// member is drawn at random; modulo the number of members it is the one to
	// ask, and each retry asks the next one.
	member uint64
	// host, unless empty, is asked first if a member runs there.
	host    string
	timeout time.Duration // of the whole operation
	// repeatable says that the operation may be sent again after an unknown
	// outcome: it has no effect, or has it at most once. One that certainly
	// had none is always sent again.
	repeatable bool
	// answered is the address of the member that carried it out, once one did.
	answered string
}

// run calls send until it succeeds, the context ends or nothing better can
// come. The outcome speaks of all calls of send together.
func (r *retrier) run(ctx context.Context, send func(ctx context.Context, address string) error) (client.Outcome, error) {
	outcome, err := client.NoEffect, errNoMember
	limit := r.timeout
	if r.repeatable {
		limit /= attemptsPerTimeout
	}
	for ctx.Err() == nil {
		address, locateErr := r.address(ctx)
		if locateErr != nil {
			return outcome, errors.Join(err, locateErr)
		}
		limited, cancel := context.WithTimeout(ctx, limit)
		err = send(limited, address)
		cancel()
		detail := client.RaftErrorOf(err)
		if err != nil && (detail == nil || staleLocation[detail.GetCode()]) {
			r.target.Forget(r.cluster)
		}
		switch client.OutcomeOf(err) {
		case client.OK:
			r.answered = address
			return client.OK, nil
		case client.Unknown:
			outcome = client.Unknown
		}
		if outcome == client.Unknown && !r.repeatable || permanent[detail.GetCode()] {
			return outcome, err
		}
		r.member++
		r.host = ""
		pause(ctx, r.timeout/backoffsPerTimeout)
	}
	return outcome, err
}

// address returns where the operation is sent next: a member that runs, as far
// as is known, if any does.
func (r *retrier) address(ctx context.Context) (string, error) {
	all, err := r.target.Locate(ctx, r.cluster)
	if err != nil {
		return "", err
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
		return "", errNoMember
	}
	if i := slices.IndexFunc(running, func(m Member) bool { return world.HostOf(m.Address) == r.host }); i >= 0 {
		return running[i].Address, nil
	}
	return running[r.member%uint64(len(running))].Address, nil
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
