// SPDX-License-Identifier: Apache-2.0

package db

import (
	"iter"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// records lists a state's records in the order of a snapshot.
func (s *State) records() iter.Seq[*pb.SnapshotRecord] {
	return func(yield func(*pb.SnapshotRecord) bool) {
		if !yield(&pb.SnapshotRecord{Body: &pb.SnapshotRecord_Header{Header: s.header()}}) {
			return
		}
		for h := range s.Hosts.Values() {
			if !yield(&pb.SnapshotRecord{Body: &pb.SnapshotRecord_Host{Host: h.record()}}) {
				return
			}
		}
		for c := range s.Clusters.Values() {
			if !yield(&pb.SnapshotRecord{Body: &pb.SnapshotRecord_Cluster{Cluster: c.record()}}) {
				return
			}
		}
		for id, t := range s.Tombstones.All() {
			r := &pb.TombstoneRecord{ClusterId: id, NextNodeId: t.NextNodeID, Deleted: t.Deleted}
			if !yield(&pb.SnapshotRecord{Body: &pb.SnapshotRecord_Tombstone{Tombstone: r}}) {
				return
			}
		}
		for op := range s.Operations.Values() {
			if !yield(&pb.SnapshotRecord{Body: &pb.SnapshotRecord_Operation{Operation: op}}) {
				return
			}
		}
		for _, ev := range s.Events {
			if !yield(&pb.SnapshotRecord{Body: &pb.SnapshotRecord_Event{Event: ev}}) {
				return
			}
		}
	}
}

func (s *State) header() *pb.SnapshotHeader {
	var blown []*pb.Fuse
	for _, f := range s.Blown {
		blown = append(blown, f.Proto())
	}
	return &pb.SnapshotHeader{
		Blown:             blown,
		Index:             s.Index,
		DeploymentId:      s.DeploymentID,
		DeploymentEpoch:   s.DeploymentEpoch,
		Launched:          s.Launched,
		Tick:              s.Tick,
		Term:              s.Term,
		LeaderNodeId:      s.LeaderNodeID,
		NextOperationId:   s.NextOperationID,
		NextEventSequence: s.NextEventSequence,
		Hosts:             uint64(s.Hosts.Len()),
		Clusters:          uint64(s.Clusters.Len()),
		Tombstones:        uint64(s.Tombstones.Len()),
		Operations:        uint64(s.Operations.Len()),
		Events:            uint64(len(s.Events)),
		Version:           s.Version,
		Paused:            s.Paused,
		PauseReason:       s.PauseReason,
		TimeToLive:        s.TTL,
	}
}

func (h *Host) record() *pb.HostRecord {
	return &pb.HostRecord{
		Info:          h.Info,
		LastSeenTick:  h.LastSeen,
		Silent:        h.Silent,
		Gone:          h.Gone,
		GoneSinceTick: h.GoneSince,
		Mode:          h.Mode,
		UpSinceTick:   h.UpSince,
		Deaths:        h.Deaths,
		Dead:          h.Dead,
		SpokeTick:     h.Spoke,
		Unconfirmed:   h.Unconfirmed,
	}
}

func (a Attempt) record() *pb.AttemptRecord {
	if a == (Attempt{}) {
		return nil
	}
	return &pb.AttemptRecord{OperationId: a.Operation, Failures: a.Failures, EndedTick: a.Ended}
}

func attemptOf(r *pb.AttemptRecord) Attempt {
	return Attempt{Operation: r.GetOperationId(), Failures: r.GetFailures(), Ended: r.GetEndedTick()}
}

func (c *Cluster) record() *pb.ClusterRecord {
	r := &pb.ClusterRecord{
		ClusterId:       c.ID,
		Spec:            c.Spec,
		FirstNodeId:     c.FirstNodeID,
		NextNodeId:      c.NextNodeID,
		LeaderId:        c.Leader,
		LeaderTerm:      c.LeaderTerm,
		LeaderSinceTick: c.LeaderSince,
		ChangedAt:       c.ChangedAt,
		Config:          c.Config.record(),
		JoinFailures:    c.JoinFailures,
		JoinFailedTick:  c.JoinFailed,
		Deleted:         c.Deleted,
	}
	if c.Image.CCID != 0 {
		r.Image = c.Image.Proto(c.ID)
	}
	for _, m := range c.Initial {
		r.Initial = append(r.Initial, &pb.InitialMemberRecord{NodeId: m.NodeID, RaftAddress: m.Address})
	}
	for i := range c.Nodes {
		r.Nodes = append(r.Nodes, c.Nodes[i].record())
	}
	for i := range c.Replicas {
		r.Replicas = append(r.Replicas, c.Replicas[i].record())
	}
	return r
}

// Proto is the image as a message.
func (m *Image) Proto(clusterID uint64) *pb.Membership {
	p := &pb.Membership{
		ClusterId:      clusterID,
		ConfigChangeId: m.CCID,
		Voters:         map[uint64]string{},
		Observers:      map[uint64]string{},
		Witnesses:      map[uint64]string{},
		Removed:        m.Removed,
	}
	for _, x := range m.Members {
		switch x.Role {
		case pb.MemberRole_OBSERVER:
			p.Observers[x.NodeID] = x.Address
		case pb.MemberRole_WITNESS:
			p.Witnesses[x.NodeID] = x.Address
		default:
			p.Voters[x.NodeID] = x.Address
		}
	}
	return p
}

func (n *Node) record() *pb.NodeRecord {
	return &pb.NodeRecord{
		NodeId:          n.ID,
		NodehostId:      n.HostID,
		RaftAddress:     n.Address,
		Join:            n.Join,
		Asked:           n.Asked,
		Unsure:          n.Unsure,
		Started:         n.Started,
		Fence:           n.Fence,
		Relieves:        n.Relieves,
		MemberSinceTick: n.MemberSince,
		Start:           n.Start.record(),
	}
}

func nodeOf(r *pb.NodeRecord) Node {
	return Node{
		ID:          r.GetNodeId(),
		HostID:      r.GetNodehostId(),
		Address:     r.GetRaftAddress(),
		Join:        r.GetJoin(),
		Asked:       r.GetAsked(),
		Unsure:      r.GetUnsure(),
		Started:     r.GetStarted(),
		Fence:       r.GetFence(),
		Relieves:    r.GetRelieves(),
		MemberSince: r.GetMemberSinceTick(),
		Start:       attemptOf(r.GetStart()),
	}
}

func (x *Replica) record() *pb.ReplicaRecord {
	return &pb.ReplicaRecord{
		NodeId:         x.NodeID,
		NodehostId:     x.HostID,
		Report:         x.Reported.proto(),
		ConfigChangeId: x.CCID,
		Destroy:        x.Destroy.record(),
		Foreign:        x.Foreign,
	}
}

func replicaOf(r *pb.ReplicaRecord) Replica {
	return Replica{
		NodeID:   r.GetNodeId(),
		HostID:   r.GetNodehostId(),
		Reported: ReportedBy(r.GetReport(), Version),
		CCID:     r.GetConfigChangeId(),
		Destroy:  attemptOf(r.GetDestroy()),
		Foreign:  r.GetForeign(),
	}
}
