// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"errors"
	"time"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

func init() {
	register(kind[none]{
		name:   "drain",
		doc:    "Drummer is asked to drain the host, again while others have no room for its members: it moves all of them elsewhere. When the fault ends the host may carry members again.",
		colour: "#4a7ab0",
		effect: "requests_accepted",
		class:  scenarios.OfFleet,
		needs:  scenarios.CanOperate,
		swarm: swarm[none]{targets: []string{"nodehost"}, lasts: "20s..2m",
			bites: func(s *scenarios.Scenario) bool { return s.Deployment.Drummers > 0 }},
		validate: func(s *scenarios.Scenario, f *scenarios.Fault, _ none, report func(key, format string, args ...any)) {
			needsDrummer(s, "drain", report)
			needsNodeHost(f, report)
		},
		sparesPeers: func(none) bool { return true },
		begin:       func(i *injection, _ none) error { return i.drain() },
		end: func(i *injection, _ none) error {
			for _, host := range i.hosts {
				i.activate(host)
			}
			return nil
		},
	})
}

// drain asks for the hosts of an injection to be drained, activate for one to carry
// members again, unless another injection wants it empty still.
func (i *injection) drain() error {
	for _, host := range i.hosts {
		i.operations.drained[host]++
		i.operate("drain", func(ctx context.Context, o Operator) error {
			for {
				err := o.Drain(ctx, host)
				if !errors.Is(err, ErrNoRoom) || !i.goesOnAfter(ctx, drainAgain) {
					return err
				}
			}
		})
	}
	return nil
}

// drainAgain is the time after which a drain is asked for again for which there was no
// room, as operators do, while the fault goes on.
const drainAgain = 5 * time.Second

// goesOnAfter waits, and reports whether the injection still goes on, and ctx, too.
func (i *injection) goesOnAfter(ctx context.Context, wait time.Duration) bool {
	select {
	case <-time.After(wait):
		return true
	case <-i.asked.over:
	case <-ctx.Done():
	}
	return false
}

func (i *injection) activate(host string) {
	if i.operations.drained[host]--; i.operations.drained[host] > 0 {
		return
	}
	i.operate("activate", func(ctx context.Context, o Operator) error { return o.Activate(ctx, host) })
}

func needsNodeHost(f *scenarios.Fault, report func(key, format string, args ...any)) {
	if f.Target.OfDrummers() {
		report("target", "found %s, expected a NodeHost: a Drummer server carries no members", f.Target)
	}
}
