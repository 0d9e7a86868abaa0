// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"context"
	"runtime/pprof"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
)

// HostLabel is the label of goroutines, for profiles and the stacks of a crash,
// that names the host whose code they run.
const HostLabel = "host"

// OnHost calls f as a host: the goroutine and those that it starts have the
// host's label, and are of its group (see exact.Group), until it returns.
func OnHost(name string, f func()) {
	exact.GroupOf(name).Join()
	defer exact.Group(0).Join()
	pprof.Do(context.Background(), pprof.Labels(HostLabel, name), func(context.Context) { f() })
}

// Labeller returns a function that gives the goroutine which calls it a host's
// label and group, for good.
func Labeller(host string) func() {
	labels, group := pprof.WithLabels(context.Background(), pprof.Labels(HostLabel, host)), exact.GroupOf(host)
	return func() {
		pprof.SetGoroutineLabels(labels)
		group.Join()
	}
}

// receive calls f, a handler of the transport, on a goroutine of a sender; nil:
// of the network.
func (t *transport) receive(sender *transport, f func()) {
	t.label()
	f()
	if sender == nil {
		pprof.SetGoroutineLabels(context.Background())
		exact.Group(0).Join()
	} else {
		sender.label()
	}
}
