// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"time"

	"github.com/lni/dragonboat/v3"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// destroyNode stops a zombie and removes its data.
func (a *Agent) destroyNode(ctx context.Context, req *pb.Request) *pb.RequestResult {
	cluster, node := req.GetClusterId(), req.GetNodeId()
	running, ok := a.runningNode(cluster)
	if ok && running == node {
		if !req.GetClusterDeleted() && a.isMember(ctx, cluster, node) {
			return refused(req, "node %d is a member of cluster %d, as read from the cluster; removing its data would corrupt the cluster", node, cluster)
		}
		if err := a.nodehost.StopNode(cluster, node); err != nil && !errors.Is(err, dragonboat.ErrClusterNotFound) {
			return failed(req, "node %d of cluster %d can't be stopped: %v", node, cluster, err)
		}
	}
	if err := a.removeNode(ctx, key{cluster, node}); err != nil {
		return failed(req, "%v", err)
	}
	return done(req, "")
}

// isMember asks the cluster itself, through the node to be destroyed, whether
// it is still a member. A leader does not answer a node that was removed, so
// no answer is no objection.
func (a *Agent) isMember(ctx context.Context, cluster, node uint64) bool {
	if leader, valid, err := a.nodehost.GetLeaderID(cluster); err != nil || !valid || leader == 0 {
		return false
	}
	m, err := readMembership(ctx, a.nodehost, cluster)
	if err != nil {
		return false
	}
	_, voter := m.GetVoters()[node]
	_, observer := m.GetObservers()[node]
	_, witness := m.GetWitnesses()[node]
	return voter || observer || witness
}

// transferLeader asks the cluster's leader to hand over to a node, and watches
// whether it does.
func (a *Agent) transferLeader(ctx context.Context, req *pb.Request) *pb.RequestResult {
	cluster, node := req.GetClusterId(), req.GetNodeId()
	if a.follows(cluster, node) {
		return done(req, "it leads already")
	}
	if err := a.nodehost.RequestLeaderTransfer(cluster, node); err != nil {
		return failed(req, "leadership of cluster %d can't be transferred to node %d: %v", cluster, node, err)
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout(a.nodehost))
	defer cancel()
	poll := time.NewTicker(tick(a.nodehost))
	defer poll.Stop()
	for {
		select {
		case <-poll.C:
			if a.follows(cluster, node) {
				return done(req, "")
			}
		case <-ctx.Done():
			return unknown(req, "node %d does not lead cluster %d yet", node, cluster)
		}
	}
}

// follows reports whether the local node of the cluster takes nodeID for leader.
func (a *Agent) follows(clusterID, nodeID uint64) bool {
	leader, valid, err := a.nodehost.GetLeaderID(clusterID)
	return err == nil && valid && leader == nodeID
}
