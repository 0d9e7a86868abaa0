// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/monkey/latency"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/mutant"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/workload"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// machines are the state machines of a run, all of them compared with each
// other: the bundled ones, or those that somebody brought along.
type machines interface {
	// registry returns the applications for the agent of one NodeHost.
	registry(sim.Environment) map[string]agent.Application
	// applicationOf names the application of a cluster, and onDisk reports whether
	// it is of that kind.
	applicationOf(cluster uint64) string
	onDisk(cluster uint64) bool
	// operations are what clients ask for; nil: operations on keys.
	operations() workload.Operations
	// keyed reports whether the history is one of a key-value store.
	keyed() bool
	// recordDivergences writes down what the comparison found since the last call.
	recordDivergences(*timeline.Log)
	// digest returns the digest of the state of a node that runs on a host, and how
	// many entries it has applied; false: it can't be had now. digests says
	// whether it can at all.
	digest(ctx context.Context, r *runner, cluster, node uint64, host string) (sum string, applied uint64, ok bool)
	digests() bool
	// inspect looks at all replicas in the end.
	inspect(truth, *rundir.Outcome)
	// outcome fills in what the run's facts say of the state machines.
	outcome(*rundir.Outcome)
}

// bundled are the correct state machines that come along, or those with the
// planted bug.
type bundled struct {
	scenario   *scenarios.Scenario
	builds     map[kv.Version]statemachine.NewCore
	crossings  statemachine.Crossings
	comparison *statemachine.Comparison
	strikes    *mutant.Strikes
}

func newBundled(s *scenarios.Scenario, seed uint64) (*bundled, error) {
	m := &bundled{scenario: s, builds: map[kv.Version]statemachine.NewCore{}, comparison: statemachine.NewComparison(), strikes: &mutant.Strikes{}}
	for _, version := range []kv.Version{kv.V1, kv.V2} {
		newCore, err := m.build(version, seed)
		if err != nil {
			return nil, err
		}
		m.builds[version] = m.comparison.Watch(m.crossings.Watch(version, newCore))
	}
	return m, nil
}

// build makes the cores of a version.
func (m *bundled) build(version kv.Version, seed uint64) (statemachine.NewCore, error) {
	b := m.scenario.Clusters.Bug
	if b == nil {
		return statemachine.CorrectOf(version), nil
	}
	bug := mutant.Config{Kind: b.Kind, Every: b.Every, Seed: seed, Size: m.scenario.Clusters.Size, Version: version, Strikes: m.strikes}
	if b.Nodes == "all" {
		bug.Size = 0
	}
	return mutant.New(bug)
}

func (m *bundled) registry(e sim.Environment) map[string]agent.Application {
	var options []statemachine.DiskOption
	if m.scenario.Clusters.OnDiskWrites == scenarios.WritesAtSync {
		options = append(options, statemachine.Lazy)
	}
	return statemachine.Registry(e.FS, e.Dir, statemachine.Timed(m.builds[kv.Version(e.Version)], timesOf(m.scenario, e)), options...)
}

// timesOf is how long the state machines of a host take.
func timesOf(s *scenarios.Scenario, e sim.Environment) statemachine.Times {
	return statemachine.Times{Apply: latency.Of(s.Clusters.Apply), Snapshot: latency.Of(s.Clusters.Snapshot), Rand: e.Rand, Pass: e.Busy}
}

func (m *bundled) applicationOf(cluster uint64) string {
	return workload.ApplicationOf(m.scenario, cluster)
}
func (m *bundled) onDisk(cluster uint64) bool      { return m.scenario.Clusters.Kind(cluster) == "ondisk" }
func (m *bundled) operations() workload.Operations { return nil }
func (m *bundled) keyed() bool                     { return true }

func (m *bundled) recordDivergences(log *timeline.Log) { recordDivergences(log, m.comparison) }

func recordDivergences(log *timeline.Log, c *statemachine.Comparison) {
	for _, d := range c.TakeDivergences() {
		log.AddAt(d.Seen, timeline.Diverged{Cluster: d.Cluster, Index: d.B.Digest.Applied, Node: d.B.Node, Sum: sumOf(d.B.Digest),
			Other: d.A.Node, OtherSum: sumOf(d.A.Digest), Agreed: d.Agreed, Entry: d.Entry})
	}
}

func sumOf(d kv.Digest) string { return fmt.Sprintf("%016x.%016x", d.Contents, d.Chain) }

// digest asks the node, as clients do.
func (m *bundled) digest(ctx context.Context, r *runner, cluster, _ uint64, host string) (string, uint64, bool) {
	b, err := r.drummer.NodeHost(r.host(host).APIAddress).StaleRead(ctx, cluster, kv.DigestQuery())
	if err != nil {
		return "", 0, false
	}
	d, err := kv.DecodeDigest(b)
	return sumOf(d), d.Applied, err == nil
}

func (m *bundled) digests() bool                  { return true }
func (m *bundled) inspect(truth, *rundir.Outcome) {}

func (m *bundled) outcome(o *rundir.Outcome) {
	o.Facts.Compared = m.comparison.Updates()
	o.OlderRead, o.NewerRead = m.crossings.Older(), m.crossings.Newer()
	if b := m.scenario.Clusters.Bug; b != nil {
		o.Bug = &rundir.Bug{Kind: b.Kind, Occasions: m.strikes.Occasions(), Strikes: m.strikes.Count()}
	}
}
