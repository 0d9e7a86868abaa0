// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/audit"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
)

// audited is a world whose Drummer servers can be looked into.
type audited interface {
	Auditor() *audit.Auditor
	Audited() ([]audit.Server, audit.Truth)
}

// auditing is the audit of a run.
type auditing struct {
	record *invariant.Audit // nil: the world can't be looked into; read it after watch
}

// watch looks about once a tick of Drummer's clock, until ctx ends, and stops the run at
// the first thing that is wrong: what comes after it is its consequence.
func (x *auditing) watch(ctx context.Context, r *runner) {
	w, ok := r.w.(audited)
	if !ok {
		return
	}
	auditor, told := w.Auditor(), 0
	x.record = auditor.Record()
	for sleep(ctx, r.scenario.Drummer.Heartbeat.D()) {
		servers, truth := w.Audited()
		auditor.Look(time.Since(r.start), servers, truth)
		for _, b := range x.record.Breaches[told:] {
			if r.scenario.Checks.Enabled(b.Check) {
				r.events.Add(timeline.DrummerErred{Check: b.Check, Cluster: b.Cluster, Text: b.Text})
				r.stop(errViolation)
			}
		}
		told = len(x.record.Breaches)
	}
}
