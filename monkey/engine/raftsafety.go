// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
)

// raftSafety is what the world has seen of the messages of Raft; nil: it does not
// watch them.
func (r *runner) raftSafety() *invariant.RaftSafety {
	if w, ok := r.w.(interface{ RaftSafety() *invariant.RaftSafety }); ok {
		return w.RaftSafety()
	}
	return nil
}

// recordBreaches writes down what nodes did that Raft forbids, told of so many so
// far, and stops the run at the first one: what comes after it is its consequence.
// It returns how many it has told of.
func (r *runner) recordBreaches(told int) int {
	found := r.raftSafety()
	if found == nil {
		return 0
	}
	for _, b := range found.Breaches[told:] {
		if r.scenario.Checks.Enabled(b.Check()) {
			r.events.Add(timeline.RaftBroken{Cluster: b.Cluster, Node: b.Node, Kind: string(b.Kind), Term: b.Term})
			r.stop(errViolation)
		}
	}
	return len(found.Breaches)
}
