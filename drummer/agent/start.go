// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftaddress"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftread"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

const (
	// unloadTimeout bounds the wait for a node of the same cluster that is
	// still being stopped.
	unloadTimeout = 10 * time.Second
	unloadPoll    = 100 * time.Millisecond
)

// startNode starts a node that is new on this host, or restarts one whose log
// is here.
func (a *Agent) startNode(ctx context.Context, req *pb.Request) *pb.RequestResult {
	k, digest := key{req.GetClusterId(), req.GetNodeId()}, raftspec.Digest(req.GetSpec().GetRaft())
	running, runs := a.runningNode(req.GetClusterId())
	if runs {
		if running != req.GetNodeId() {
			return failed(req, "node %d of cluster %d still runs on this host", running, req.GetClusterId())
		}
		if !req.GetRestart() || a.probes.raftDigest(k) == digest {
			return done(req, "it runs already")
		}
	}
	if !runs {
		if answer := a.halfRemoved(ctx, req); answer != nil {
			return answer
		}
		if err := a.config.Disk.Replica(k.cluster, k.node); err != nil {
			return refused(req, "node %d of cluster %d is lost and can't be started: %v", k.node, k.cluster, err)
		}
	}
	spec := req.GetSpec()
	application, ok := a.config.Registry[spec.GetApplication()]
	if !ok {
		return refused(req, "application %q is not in this NodeHost's registry", spec.GetApplication())
	}
	if err := checkRaft(req); err != nil {
		return refused(req, "the Raft configuration of cluster %d is invalid: %v", req.GetClusterId(), err)
	}
	members, mode, refusal := a.startMode(req)
	if refusal != nil {
		return refusal
	}
	raft := raftConfig(req, mode)
	if req.GetRestart() {
		// Everything that could refuse the start has been asked by now.
		if err := a.nodehost.StopNode(k.cluster, k.node); err != nil && !errors.Is(err, dragonboat.ErrClusterNotFound) {
			return failed(req, "node %d of cluster %d can't be stopped: %v", k.node, k.cluster, err)
		}
	}
	err := retryWhile(ctx, dragonboat.ErrClusterAlreadyExist, func() error {
		return a.start(application, members, mode == firstAsObserver, raft)
	})
	switch {
	case err == nil:
		a.probes.started(k, raft.ElectionRTT, digest)
		if req.GetRestart() && !a.caughtUpAgain(ctx, req.GetClusterId()) {
			return unknown(req, "node %d of cluster %d was restarted and has not caught up yet", k.node, k.cluster)
		}
		return done(req, "")
	case errors.Is(err, dragonboat.ErrClusterAlreadyExist), errors.Is(err, dragonboat.ErrClosed), errors.Is(err, context.Canceled):
		return failed(req, "node %d of cluster %d was not started: %v", req.GetNodeId(), req.GetClusterId(), err)
	default:
		// ErrNodeRemoved, ErrInvalidClusterSettings, ErrInvalidTarget: the
		// same request will never do better.
		return refused(req, "node %d of cluster %d can't be started: %v", req.GetNodeId(), req.GetClusterId(), err)
	}
}

// caughtUpAgain waits until a node that was restarted answers a linearizable
// read: it follows a leader, and has applied what was committed meanwhile.
func (a *Agent) caughtUpAgain(ctx context.Context, clusterID uint64) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*readTimeout(a.nodehost))
	defer cancel()
	for ctx.Err() == nil {
		if raftread.Ready(ctx, a.nodehost, clusterID, readTimeout(a.nodehost)) {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * tick(a.nodehost)):
		}
	}
	return false
}

// startMode is how a node is started.
type startMode int

const (
	firstAsInitial startMode = iota
	firstAsObserver
	againAsVoter
	againAsObserver
)

// startMode decides between a restart and a first start, and remembers the
// latter before it is made. It never lets Dragonboat find a node that was not
// bootstrapped, which would panic.
func (a *Agent) startMode(req *pb.Request) (members map[uint64]string, mode startMode, refusal *pb.RequestResult) {
	k := key{req.GetClusterId(), req.GetNodeId()}
	if a.nodehost.HasNodeInfo(k.cluster, k.node) {
		mode, refusal = a.restartMode(req, k)
		return nil, mode, refusal
	}
	if sick := sickness(a.nodehost.NodeHostConfig()); sick != "" {
		return nil, 0, refused(req, "this NodeHost is sick and takes no new nodes: %s", sick)
	}
	switch req.GetJoin() {
	case pb.JoinMode_INITIAL:
		if refusal := a.checkInitial(req); refusal != nil {
			return nil, 0, refusal
		}
		members, mode = req.GetInitialMembers(), firstAsInitial
	case pb.JoinMode_JOIN_AS_OBSERVER:
		mode = firstAsObserver
	default:
		return nil, 0, refused(req, "join mode %v says not how node %d first joins", req.GetJoin(), req.GetNodeId())
	}
	if err := a.joins.set(k, mode == firstAsObserver); err != nil {
		return nil, 0, failed(req, "%v", err)
	}
	return members, mode, nil
}

// restartMode goes by the request only when this host remembers nothing of how
// the node joined: a Drummer that has met it as a voter does not know whether it
// was an observer once.
func (a *Agent) restartMode(req *pb.Request, k key) (startMode, *pb.RequestResult) {
	if !a.joins.asObserver(k) && req.GetJoin() != pb.JoinMode_JOIN_AS_OBSERVER {
		return againAsVoter, nil
	}
	if err := a.joins.set(k, true); err != nil {
		return 0, failed(req, "%v", err)
	}
	return againAsObserver, nil
}

// sawObserver remembers an observer that somebody else has started.
func (a *Agent) sawObserver(k key) {
	if err := a.joins.set(k, true); err != nil {
		a.log.Warn("an observer was seen", "error", err)
	}
}

func (a *Agent) checkInitial(req *pb.Request) *pb.RequestResult {
	if own := req.GetInitialMembers()[req.GetNodeId()]; own != a.nodehost.RaftAddress() {
		return refused(req, "node %d is an initial member at %q, this NodeHost is %s", req.GetNodeId(), own, a.nodehost.RaftAddress())
	}
	for id, address := range req.GetInitialMembers() {
		if id == 0 || address == "" {
			return refused(req, "initial member %d at %q can't be", id, address)
		}
		if err := raftaddress.Check(address); err != nil {
			return refused(req, "initial member %d: %v", id, err)
		}
	}
	return nil
}

func (a *Agent) start(application Application, members map[uint64]string, join bool, raft config.Config) error {
	switch {
	case application.Regular != nil:
		return a.nodehost.StartCluster(members, join, application.Regular, raft)
	case application.Concurrent != nil:
		return a.nodehost.StartConcurrentCluster(members, join, application.Concurrent, raft)
	default:
		return a.nodehost.StartOnDiskCluster(members, join, application.OnDisk, raft)
	}
}

// runningNode returns the node of a cluster that runs on this host.
func (a *Agent) runningNode(clusterID uint64) (nodeID uint64, ok bool) {
	user, err := a.nodehost.GetNodeUser(clusterID)
	if err != nil {
		return 0, false
	}
	return user.NodeID(), true
}

// retryWhile repeats try while it fails with temporary, for unloadTimeout at
// most: a node that was stopped is unloaded by Dragonboat's workers a while
// later, and there is nothing to wait on.
func retryWhile(ctx context.Context, temporary error, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, unloadTimeout)
	defer cancel()
	for {
		err := try()
		if !errors.Is(err, temporary) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(unloadPoll):
		}
	}
}
