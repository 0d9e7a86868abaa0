// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/tools"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
)

const (
	// recoveryDir, in the NodeHost's directory, has the snapshots that were exported.
	recoveryDir = "drummer-recovery"
	// exportTimeout bounds the export of a snapshot when the caller does not.
	exportTimeout = 10 * time.Minute
)

// Inspect returns what the NodeHost's replica of a cluster has in its log.
func (a *Agent) Inspect(_ context.Context, req *pb.InspectReplicaRequest) (*pb.InspectReplicaResponse, error) {
	node, ok := a.runningNode(req.GetClusterId())
	if !ok {
		return nil, status.Errorf(codes.NotFound, "no replica of cluster %d runs on this NodeHost", req.GetClusterId())
	}
	log, err := a.config.Disk.Log(req.GetClusterId(), node)
	if err != nil {
		return nil, status.Error(codes.Unimplemented, err.Error())
	}
	leader, valid, err := a.nodehost.GetLeaderID(req.GetClusterId())
	if err != nil || !valid {
		leader = 0
	}
	return &pb.InspectReplicaResponse{NodeId: node, Term: log.Term, LastTerm: log.LastTerm, CommittedIndex: log.Commit, LastIndex: log.Last, LeaderId: leader}, nil
}

// Recover makes a new replica, the only member of its cluster, of the snapshot of the
// one that runs here, which has lost its quorum for good. It does not start the new
// one, and leaves the old one and the exported snapshot as they are.
func (a *Agent) Recover(ctx context.Context, req *pb.RecoverReplicaRequest) (*pb.RecoverReplicaResponse, error) {
	a.recovering.Lock()
	defer a.recovering.Unlock()
	cluster, next := req.GetClusterId(), key{req.GetClusterId(), req.GetNewNodeId()}
	node, ok := a.runningNode(cluster)
	switch {
	case !ok:
		return nil, status.Errorf(codes.NotFound, "no replica of cluster %d runs on this NodeHost", cluster)
	case req.GetNewNodeId() <= node:
		return nil, status.Errorf(codes.InvalidArgument, "node %d can't succeed node %d: a NodeID is never used twice", req.GetNewNodeId(), node)
	case a.nodehost.HasNodeInfo(next.cluster, next.node), a.removals.has(next):
		return nil, status.Errorf(codes.AlreadyExists, "node %d of cluster %d is on this NodeHost already", next.node, cluster)
	}
	if _, err := readMembership(ctx, a.nodehost, cluster); err == nil {
		return nil, status.Errorf(codes.FailedPrecondition, "cluster %d answers: it has a quorum", cluster)
	}
	log, err := a.config.Disk.Log(cluster, node)
	if err != nil {
		return nil, status.Error(codes.Unimplemented, err.Error())
	}
	index, path, err := a.export(ctx, cluster, next.node)
	if err == nil {
		err = tools.ImportSnapshot(a.nodehost.NodeHostConfig(), path, map[uint64]string{next.node: a.nodehost.RaftAddress()}, next.node)
	}
	if err == nil {
		err = a.joins.set(next, false)
	}
	if err != nil {
		return nil, status.Errorf(codes.FailedPrecondition, "cluster %d can't be recovered here, and nothing was changed: %v", cluster, err)
	}
	a.inventory.add(next)
	a.config.Listener.notify()
	a.log.Warn("a cluster without a quorum was recovered from this NodeHost's replica", "cluster", cluster, "from-node", node, "new-node", next.node, "index", index, "snapshot", path)
	return &pb.RecoverReplicaResponse{Index: index, LastIndex: log.Last, SnapshotPath: path}, nil
}

// export writes the snapshot of a running replica and returns its index and its
// directory. What an earlier try has left is replaced.
func (a *Agent) export(ctx context.Context, cluster, next uint64) (index uint64, path string, err error) {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, exportTimeout)
		defer cancel()
	}
	conf := a.nodehost.NodeHostConfig()
	fs := conf.Expert.FS
	base := fs.PathJoin(conf.NodeHostDir, recoveryDir)
	dir := fs.PathJoin(base, fmt.Sprintf("%d-%d", cluster, next))
	if err := errors.Join(fs.RemoveAll(dir), fs.MkdirAll(dir, 0o755), durable.SyncDir(fs, conf.NodeHostDir), durable.SyncDir(fs, base)); err != nil {
		return 0, "", err
	}
	index, err = a.nodehost.SyncRequestSnapshot(ctx, cluster, dragonboat.SnapshotOption{Exported: true, ExportPath: dir})
	if err != nil {
		return 0, "", fmt.Errorf("no snapshot can be exported: %w", err)
	}
	path, err = exported(fs, dir)
	return index, path, err
}

// exported finds the one snapshot below a directory.
func exported(fs config.IFS, dir string) (string, error) {
	names, err := fs.List(dir)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if strings.HasPrefix(name, "snapshot-") {
			return fs.PathJoin(dir, name), nil
		}
	}
	return "", fmt.Errorf("no snapshot was exported to %s", dir)
}
