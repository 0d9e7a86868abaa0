// SPDX-License-Identifier: Apache-2.0

package db

import (
	"iter"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// records lists a state's records in the order of a snapshot. An error ends them.
func (s *State) records() iter.Seq2[*pb.SnapshotRecord, error] {
	return func(yield func(*pb.SnapshotRecord, error) bool) {
		if !yield(&pb.SnapshotRecord{Body: &pb.SnapshotRecord_Header{Header: s.header()}}, nil) {
			return
		}
		for h := range s.Hosts.Values() {
			if !yield(&pb.SnapshotRecord{Body: &pb.SnapshotRecord_Host{Host: h.record()}}, nil) {
				return
			}
		}
		packer := newPacker(s.Index)
		for c := range s.Clusters.Values() {
			err := packer.cluster(c)
			if (err != nil || packer.packed == clustersPerRecord) && !yield(clustersRecord(packer), err) {
				return
			}
		}
		if packer.packed > 0 && !yield(clustersRecord(packer), nil) {
			return
		}
		for id, t := range s.Tombstones.All() {
			r := &pb.TombstoneRecord{ClusterId: id, NextNodeId: t.NextNodeID, Deleted: t.Deleted}
			if !yield(&pb.SnapshotRecord{Body: &pb.SnapshotRecord_Tombstone{Tombstone: r}}, nil) {
				return
			}
		}
		for op := range s.Operations.Values() {
			if !yield(&pb.SnapshotRecord{Body: &pb.SnapshotRecord_Operation{Operation: op}}, nil) {
				return
			}
		}
		for _, ev := range s.Events {
			if !yield(&pb.SnapshotRecord{Body: &pb.SnapshotRecord_Event{Event: ev}}, nil) {
				return
			}
		}
	}
}

func clustersRecord(p *packer) *pb.SnapshotRecord {
	return &pb.SnapshotRecord{Body: &pb.SnapshotRecord_Clusters{Clusters: p.take()}}
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

		DiskGeneration: h.DiskGeneration,
	}
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
