// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/monkey/application"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/workload"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// brought are the state machines of an application that somebody brought along.
type brought struct {
	app      *application.Application
	scenario *scenarios.Scenario
	asked    workload.Operations
	replicas *application.Replicas
}

func newBrought(a *application.Application, s *scenarios.Scenario) *brought {
	queries := application.NewQueries()
	return &brought{app: a, scenario: s, asked: a.Operations(queries), replicas: application.NewReplicas(a, queries)}
}

func (m *brought) registry(e sim.Environment) map[string]agent.Application {
	return m.replicas.Registry(e, statemachine.NewClock(timesOf(m.scenario, e)))
}

func (m *brought) applicationOf(cluster uint64) string { return m.app.Of(cluster).Name }
func (m *brought) onDisk(cluster uint64) bool          { return m.app.Of(cluster).OnDisk != nil }
func (m *brought) operations() workload.Operations     { return m.asked }
func (m *brought) recordDivergences(log *timeline.Log) {
	recordDivergences(log, m.replicas.Comparison())
}
func (m *brought) keyed() bool   { return m.app.Keyed }
func (m *brought) digests() bool { return m.replicas.HasDigests() }

func (m *brought) digest(_ context.Context, _ *runner, cluster, node uint64, _ string) (string, uint64, bool) {
	return m.replicas.Digest(cluster, node)
}

// inspect has every replica that runs looked at by the invariants of replicas.
func (m *brought) inspect(tr truth, o *rundir.Outcome) {
	if len(m.app.Replicas) == 0 && m.app.Broken == nil {
		return
	}
	found := &invariant.Brought{Broken: []invariant.Broken{}}
	for _, cluster := range slices.Sorted(maps.Keys(tr.clusters)) {
		running := tr.clusters[cluster].running
		for _, node := range slices.Sorted(maps.Keys(running)) {
			if len(m.app.Replicas) > 0 {
				found.Broken = append(found.Broken, m.replicas.Broken(cluster, node, running[node])...)
				found.Replicas++
			}
		}
	}
	o.Facts.Invariants = found
}

func (m *brought) outcome(o *rundir.Outcome) {
	o.Facts.Compared = m.replicas.Comparison().Updates()
	o.OlderRead, o.NewerRead = m.replicas.Crossings().Older(), m.replicas.Crossings().Newer()
	if m.app.Broken == nil {
		return
	}
	if o.Facts.Invariants == nil { // the run ended before replicas could be looked at
		o.Facts.Invariants = &invariant.Brought{}
	}
	broken, looked := m.app.Broken()
	o.Facts.Invariants.Broken, o.Facts.Invariants.Answers = append(broken, o.Facts.Invariants.Broken...), looked
}
