// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Operator asks Drummer for what its operators ask. A call returns when Drummer has
// accepted it, which takes as long as Drummer has no leader; its error is one that
// trying again does not help against, or that of ctx. Calls come from several
// goroutines.
type Operator interface {
	// Drain has all members moved away from a host, and Activate undoes that. A drain that
	// is refused because the hosts that are left could not take them now is ErrNoRoom.
	Drain(ctx context.Context, host string) error
	Activate(ctx context.Context, host string) error
	// IsEmpty reports whether no node runs on a host.
	IsEmpty(host string) bool
	// Clusters lists the Raft clusters of the scenario that there should be, in order.
	Clusters() []uint64
	// Resize gives clusters so many members; 0: as many as the scenario says.
	Resize(ctx context.Context, members int, clusters ...uint64) error
	// Create makes so many new clusters, and Delete deletes clusters for good.
	Create(ctx context.Context, clusters int) ([]uint64, error)
	Delete(ctx context.Context, clusters ...uint64) error
}

// ErrNoRoom says that a drain was refused for what may pass: hosts that are down or that
// are drained, too, leave a cluster without a place for a new member.
var ErrNoRoom = errors.New("other hosts could not take its members")

// acceptLimit is how long Drummer may take to accept what a fault asks for.
const acceptLimit = 90 * time.Second

// operations are what faults ask of an operator. The injector does not wait for them
// while it goes on: they wait for Drummer, which the same faults keep from answering.
type operations struct {
	operator Operator // nil: there is none
	log      Log
	running  sync.WaitGroup
	drained  map[string]int // how many injections want each host empty
}

// asked is what one injection asks for, one thing after the other.
type asked struct {
	last     chan struct{} // closed when the newest of them is over; nil: there was none
	accepted atomic.Int64
	over     chan struct{} // closed when the injection ends
}

// operate asks the operator for something, after what the injection asked before.
func (i *injection) operate(what string, ask func(ctx context.Context, o Operator) error) {
	before, done := i.asked.last, make(chan struct{})
	i.asked.last = done
	i.operations.running.Go(func() {
		defer close(done)
		if before != nil {
			<-before
		}
		ctx, cancel := context.WithTimeout(context.Background(), acceptLimit)
		defer cancel()
		started := time.Now()
		if err := ask(ctx, i.operations.operator); err != nil {
			i.operations.log.Add(timeline.OperatorFailed{Action: what, Planned: i.operations.log.Since(started), Error: err.Error()})
			return
		}
		i.asked.accepted.Add(1)
	})
}

// needsDrummer reports a fault that asks Drummer for something where there is none.
func needsDrummer(s *scenarios.Scenario, kind string, report func(key, format string, args ...any)) {
	if s.Deployment.Drummers == 0 {
		report("kind", "found %s without Drummers, expected them: it is Drummer that is asked", kind)
	}
}
