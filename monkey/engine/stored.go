// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"slices"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// leftoverLimit is how long what former members left on disks may stay after all else
// is whole.
const leftoverLimit = time.Minute

// awaitRemoval waits until every node with a log on the disk of a host that runs, runs
// there: what is left of former members may just be about to be removed.
func (r *runner) awaitRemoval(ctx context.Context) {
	if r.static() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leftoverLimit)
	defer cancel()
	r.wait(ctx, func() bool {
		return !slices.ContainsFunc(r.hosts(r.observer.poll(ctx)), func(h invariant.Host) bool {
			return slices.ContainsFunc(slices.Concat(h.Stored, h.Data), func(n invariant.Node) bool { return !slices.Contains(h.Running, n) })
		})
	})
}

// stored lists the nodes with a log on a host's disk; nil: it is down.
func (r *runner) stored(host string) []invariant.Node {
	logs, err := r.w.Logs(host)
	if err != nil {
		return nil
	}
	nodes := []invariant.Node{}
	for _, l := range logs {
		nodes = append(nodes, invariant.Node{Cluster: l.ClusterID, Node: l.NodeID})
	}
	return nodes
}

// data lists the nodes whose state machines have data of their own on a host's disk; nil:
// it is down, or the world does not say.
func (r *runner) data(host string) []invariant.Node {
	w, ok := r.w.(interface {
		Data(host string) ([]string, error)
	})
	if !ok || r.losesFiles() {
		return nil
	}
	found, err := w.Data(host)
	if err != nil {
		return nil
	}
	nodes := []invariant.Node{}
	for _, name := range found {
		if cluster, node, ok := statemachine.NodeOf(name); ok {
			nodes = append(nodes, invariant.Node{Cluster: cluster, Node: node})
		}
	}
	return nodes
}

// losesFiles reports whether faults take or damage files: nobody can know then whose the
// data is of which log and record are gone.
func (r *runner) losesFiles() bool {
	return slices.ContainsFunc(r.scenario.Leaves(), func(l scenarios.Leaf) bool { return l.Fault.Kind == "lost-files" || l.Fault.Kind == "rot" })
}
