// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/mutant"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// machines are the state machines of a run: the correct ones, or those with the
// planted bug, all of them compared with each other.
type machines struct {
	newCore    statemachine.NewCore
	comparison *statemachine.Comparison
	strikes    *mutant.Strikes
}

func newMachines(s *scenarios.Scenario, seed uint64) (*machines, error) {
	m := &machines{newCore: statemachine.Correct, comparison: statemachine.NewComparison(), strikes: &mutant.Strikes{}}
	if b := s.Clusters.Bug; b != nil {
		bug := mutant.Config{Kind: b.Kind, Every: b.Every, Seed: seed, Size: s.Clusters.Size, Strikes: m.strikes}
		if b.Nodes == "all" {
			bug.Size = 0
		}
		var err error
		if m.newCore, err = mutant.New(bug); err != nil {
			return nil, err
		}
	}
	m.newCore = m.comparison.Watch(m.newCore)
	return m, nil
}

// recordDivergences writes down what the comparison found since the last call.
func (m *machines) recordDivergences(log *timeline.Log) {
	for _, d := range m.comparison.TakeDivergences() {
		log.AddAt(d.Seen, timeline.Diverged{Cluster: d.Cluster, Index: d.B.Digest.Applied, Node: d.B.Node, Sum: sumOf(d.B.Digest),
			Other: d.A.Node, OtherSum: sumOf(d.A.Digest), Agreed: d.Agreed, Entry: d.Entry})
	}
}

func sumOf(d kv.Digest) string { return fmt.Sprintf("%016x.%016x", d.Contents, d.Chain) }

// outcome fills in what the run's facts say of the state machines.
func (m *machines) outcome(s *scenarios.Scenario, o *rundir.Outcome) {
	o.Facts.Compared = m.comparison.Updates()
	if b := s.Clusters.Bug; b != nil {
		o.Bug = &rundir.Bug{Kind: b.Kind, Occasions: m.strikes.Occasions(), Strikes: m.strikes.Count()}
	}
}
