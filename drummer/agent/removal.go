// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/lni/dragonboat/v3"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// removalsDir is in the NodeHost's directory. It has the nodes whose data is being
// removed.
//
// That takes several steps, in Dragonboat and in applications, and Drummer learns of
// a node only by its log, which goes early. So a process that is killed between two
// of the steps has to remember by itself that there are more.
const removalsDir = "drummer-removals"

// removeNode removes everything that a node, which doesn't run, has on this host.
// What is not removed when it returns an error, or when the process ends, is by
// finishRemovals.
func (a *Agent) removeNode(ctx context.Context, k key) error {
	for _, step := range a.removal(ctx, k) {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s of node %d of cluster %d can't be removed: %w", step.what, k.node, k.cluster, err)
		}
	}
	a.inventory.forget(k)
	return nil
}

// removalStep removes something for good: when it returns nil no loss of power brings
// it back. It can be done again, whether it was done before in whole or in part.
type removalStep struct {
	what string
	do   func() error
}

// removal is how everything that a node has is removed. It is remembered from the
// first step to the last.
func (a *Agent) removal(ctx context.Context, k key) []removalStep {
	steps := []removalStep{
		{"anything", func() error { return a.removals.set(k, true) }},
		{"the log", func() error { return a.removeLog(ctx, k) }},
		{"what is known of the log", func() error { return a.config.Disk.Forget(k.cluster, k.node) }},
	}
	for _, name := range slices.Sorted(maps.Keys(a.config.Registry)) {
		remove := a.config.Registry[name].RemoveData
		if remove == nil {
			continue
		}
		steps = append(steps, removalStep{fmt.Sprintf("the data in application %q", name), func() error { return remove(k.cluster, k.node) }})
	}
	return append(steps,
		removalStep{"how it joined", func() error { return a.joins.set(k, false) }},
		removalStep{"the note that all was removed", func() error { return a.removals.set(k, false) }},
	)
}

// removeLog removes a node's log and snapshots. Whether Dragonboat still knows of the
// node says nothing of what is left: that it forgets first.
func (a *Agent) removeLog(ctx context.Context, k key) error {
	// RemoveData, not SyncRemoveData: the latter refuses while another
	// node of the cluster runs here, and panics when one is started
	// meanwhile.
	return retryWhile(ctx, dragonboat.ErrClusterNotStopped, func() error {
		return a.nodehost.RemoveData(k.cluster, k.node)
	})
}

// finishRemovals removes what is left of nodes whose removal was begun before the
// agent was. It comes before everything else that the agent does, so that nothing
// which it is asked for meets such a node. What can't be removed is reported to
// Drummer as if its log were there, which asks for its removal again.
func (a *Agent) finishRemovals(ctx context.Context) {
	for _, k := range a.removals.all() {
		if running, ok := a.runningNode(k.cluster); ok && running == k.node {
			a.log.Warn("the removal of a node that was begun can't be finished: somebody has started it", "cluster", k.cluster, "node", k.node)
			continue
		}
		if err := a.removeNode(ctx, k); err != nil {
			a.log.Warn("the removal of a node that was begun can't be finished", "error", err)
			continue
		}
		a.log.Info("the removal of a node that was begun is finished", "cluster", k.cluster, "node", k.node)
	}
}

// halfRemoved answers who wants to start a node whose removal was begun and not
// finished; nil: it was not. What is left of it would be taken for the new node's, or
// be removed together with it, so it goes first. Nor is the node started then: it was
// asked for by somebody who had heard of what was left, and would miss it.
func (a *Agent) halfRemoved(ctx context.Context, req *pb.Request) *pb.RequestResult {
	k := key{req.GetClusterId(), req.GetNodeId()}
	if !a.removals.has(k) {
		return nil
	}
	if err := a.removeNode(ctx, k); err != nil {
		return failed(req, "%v", err)
	}
	return failed(req, "what was left of an earlier node %d of cluster %d had to be removed first, and is only now", k.node, k.cluster)
}
