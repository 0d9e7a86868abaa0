// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"slices"

	"github.com/lni/dragonboat/v3"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// changeMembership proposes one config change. It reads the membership before,
// so that what holds already is not proposed again and what is stale is not
// proposed at all, and after, so that the next step starts from the new ccid.
func (a *Agent) changeMembership(ctx context.Context, req *pb.Request) *pb.RequestResult {
	before, err := retryMembership(ctx, a.nodehost, req.GetClusterId())
	if err != nil {
		return failed(req, "the membership of cluster %d can't be read: %v", req.GetClusterId(), err)
	}
	if answered := settled(req, before); answered != nil {
		return answered
	}
	err = a.propose(ctx, req)
	after, readErr := retryMembership(ctx, a.nodehost, req.GetClusterId())
	if readErr == nil {
		a.learn(after)
		if answered := settled(req, after); answered != nil {
			// Whatever the proposal's answer was: it holds now, or its ccid
			// is stale and OrderedConfigChange will never let it apply.
			return answered
		}
	}
	return changeResult(req, err)
}

func (a *Agent) propose(ctx context.Context, req *pb.Request) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout(a.nodehost))
	defer cancel()
	cluster, node, ccid := req.GetClusterId(), req.GetNodeId(), req.GetConfigChangeId()
	switch req.GetKind() {
	case pb.RequestKind_ADD_OBSERVER:
		return a.nodehost.SyncRequestAddObserver(ctx, cluster, node, req.GetTargetAddress(), ccid)
	case pb.RequestKind_PROMOTE:
		return a.nodehost.SyncRequestAddNode(ctx, cluster, node, req.GetTargetAddress(), ccid)
	default:
		return a.nodehost.SyncRequestDeleteNode(ctx, cluster, node, ccid)
	}
}

// settled answers a change from the membership alone: it holds, or it never can.
// Nil means that it can still be made.
func settled(req *pb.Request, m *pb.Membership) *pb.RequestResult {
	node, address := req.GetNodeId(), req.GetTargetAddress()
	removed := slices.Contains(m.GetRemoved(), node)
	voter, isVoter := m.GetVoters()[node]
	observer, isObserver := m.GetObservers()[node]

	var result *pb.RequestResult
	switch kind := req.GetKind(); {
	case kind == pb.RequestKind_REMOVE_NODE && removed:
		result = done(req, "")
	case kind == pb.RequestKind_REMOVE_NODE:
	case removed:
		result = refused(req, "node %d was removed from cluster %d and can't come back", node, req.GetClusterId())
	case isVoter && voter != address, isObserver && observer != address:
		result = refused(req, "node %d of cluster %d is at %s%s, not at %s", node, req.GetClusterId(), voter, observer, address)
	case isVoter:
		result = done(req, "")
	case kind == pb.RequestKind_ADD_OBSERVER && isObserver:
		result = done(req, "")
	case kind == pb.RequestKind_PROMOTE && !isObserver:
		result = refused(req, "node %d is no observer of cluster %d", node, req.GetClusterId())
	}
	if result == nil && m.GetConfigChangeId() != req.GetConfigChangeId() {
		result = refused(req, "cluster %d is at ccid %d, the request is fenced by %d", req.GetClusterId(), m.GetConfigChangeId(), req.GetConfigChangeId())
	}
	if result != nil {
		result.Membership = m
	}
	return result
}

// changeResult maps the error of a config change whose effect the membership
// read afterwards did not show.
func changeResult(req *pb.Request, err error) *pb.RequestResult {
	const text = "%v node %d of cluster %d: %v"
	args := []any{req.GetKind(), req.GetNodeId(), req.GetClusterId(), err}
	switch {
	case err == nil:
		return done(req, "") // applied here; only the read after it failed
	case errors.Is(err, dragonboat.ErrRejected), errors.Is(err, dragonboat.ErrInvalidAddress), errors.Is(err, dragonboat.ErrInvalidOperation):
		return refused(req, text, args...)
	case errors.Is(err, dragonboat.ErrClusterNotReady), // not initialised, or dropped before it was appended
		errors.Is(err, dragonboat.ErrSystemBusy), // another change waits in pendingConfigChange
		errors.Is(err, dragonboat.ErrClusterNotFound),
		errors.Is(err, dragonboat.ErrTimeoutTooSmall),
		errors.Is(err, dragonboat.ErrInvalidDeadline),
		errors.Is(err, dragonboat.ErrClosed):
		return failed(req, text, args...)
	default: // ErrTimeout, ErrCanceled, ErrClusterClosed, ErrAborted
		return unknown(req, text, args...)
	}
}

// learn remembers a membership for the node of that cluster on this host.
func (a *Agent) learn(m *pb.Membership) {
	if node, ok := a.runningNode(m.GetClusterId()); ok {
		a.probes.learn(key{m.GetClusterId(), node}, m)
	}
}
