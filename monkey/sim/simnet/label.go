// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"context"
	"runtime/pprof"
)

// HostLabel is the label of goroutines, for profiles and the stacks of a crash,
// that names the host whose code they run.
const HostLabel = "host"

// OnHost calls f as a host: the goroutine and those that it starts have the
// host's label until it returns.
func OnHost(name string, f func()) {
	pprof.Do(context.Background(), pprof.Labels(HostLabel, name), func(context.Context) { f() })
}

// Labeller returns a function that gives the goroutine which calls it a host's
// label, for good.
func Labeller(host string) func() {
	labels := pprof.WithLabels(context.Background(), pprof.Labels(HostLabel, host))
	return func() { pprof.SetGoroutineLabels(labels) }
}

// receive calls f, a handler of the transport, on a goroutine of a sender; nil:
// of the network.
func (t *transport) receive(sender *transport, f func()) {
	t.label()
	f()
	if sender == nil {
		pprof.SetGoroutineLabels(context.Background())
	} else {
		sender.label()
	}
}
