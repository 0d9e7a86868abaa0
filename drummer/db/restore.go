// SPDX-License-Identifier: Apache-2.0

package db

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

// readState builds a state from records, and checks that it keeps its
// invariants: a snapshot that doesn't was not written by this program.
func readState(in *recordReader) (*State, error) {
	s := NewState()
	var header *pb.SnapshotHeader
	for {
		r, err := in.next()
		if err != nil {
			return nil, err
		}
		if r == nil {
			break
		}
		if h := r.GetHeader(); h != nil && header == nil {
			header = h
			s.restoreHeader(h)
		} else if err := s.restore(r); err != nil {
			return nil, err
		}
	}
	if header == nil {
		return nil, errors.New("the snapshot of DrummerDB has no header")
	}
	s.count()
	if !proto.Equal(header, s.header()) {
		return nil, errors.New("the snapshot of DrummerDB has not the records that its header announces")
	}
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("the snapshot of DrummerDB contradicts itself: %w", err)
	}
	return s, nil
}

func (s *State) restoreHeader(h *pb.SnapshotHeader) {
	s.Index = h.Index
	s.DeploymentID = h.DeploymentId
	s.DeploymentEpoch = h.DeploymentEpoch
	s.Launched = h.Launched
	s.Tick = h.Tick
	s.Term = h.Term
	s.LeaderNodeID = h.LeaderNodeId
	s.NextOperationID = h.NextOperationId
	s.NextEventSequence = h.NextEventSequence
	s.Version = h.Version
	s.Paused = h.Paused
	s.PauseReason = h.PauseReason
	s.TTL = h.TimeToLive
	for _, f := range h.Blown {
		s.Blown = append(s.Blown, fuseOf(f))
	}
}

func (s *State) restore(r *pb.SnapshotRecord) error {
	switch body := r.Body.(type) {
	case *pb.SnapshotRecord_Host:
		return s.restoreHost(body.Host)
	case *pb.SnapshotRecord_Cluster:
		return s.restoreCluster(body.Cluster)
	case *pb.SnapshotRecord_Tombstone:
		t := Tombstone{NextNodeID: body.Tombstone.GetNextNodeId(), Deleted: body.Tombstone.GetDeleted()}
		s.Tombstones = s.Tombstones.Set(body.Tombstone.GetClusterId(), t)
	case *pb.SnapshotRecord_Operation:
		s.Operations = s.Operations.Set(body.Operation.GetId(), body.Operation)
	case *pb.SnapshotRecord_Event:
		s.Events = append(s.Events, body.Event)
	default:
		return errors.New("the snapshot of DrummerDB has a record out of place or of an unknown kind")
	}
	return nil
}

func (s *State) restoreHost(r *pb.HostRecord) error {
	if err := ValidateHost(r.GetInfo()); err != nil {
		return err
	}
	h := &Host{
		Info:        r.Info,
		LastSeen:    r.LastSeenTick,
		Silent:      r.Silent,
		Gone:        r.Gone,
		GoneSince:   r.GoneSinceTick,
		Mode:        r.Mode,
		UpSince:     r.UpSinceTick,
		Deaths:      r.Deaths,
		Dead:        r.Dead,
		Spoke:       r.SpokeTick,
		Unconfirmed: r.Unconfirmed,
	}
	s.Hosts = s.Hosts.Set(h.ID(), h)
	if !h.Gone {
		s.Addresses = s.Addresses.Set(h.Address(), h.ID())
	}
	return nil
}

func (s *State) restoreCluster(r *pb.ClusterRecord) error {
	c := &Cluster{
		ID:           r.GetClusterId(),
		Spec:         r.GetSpec(),
		FirstNodeID:  r.GetFirstNodeId(),
		NextNodeID:   r.GetNextNodeId(),
		Leader:       r.GetLeaderId(),
		LeaderTerm:   r.GetLeaderTerm(),
		LeaderSince:  r.GetLeaderSinceTick(),
		ChangedAt:    r.GetChangedAt(),
		Config:       attemptOf(r.GetConfig()),
		JoinFailures: r.GetJoinFailures(),
		JoinFailed:   r.GetJoinFailedTick(),
		Deleted:      r.GetDeleted(),
		RaftDigest:   raftspec.Digest(r.GetSpec().GetRaft()),
	}
	if r.GetImage() != nil {
		image, err := imageOf(c.ID, r.Image)
		if err != nil {
			return err
		}
		c.Image = image
	}
	for _, m := range r.GetInitial() {
		c.Initial = append(c.Initial, Member{NodeID: m.GetNodeId(), Address: m.GetRaftAddress(), Role: pb.MemberRole_VOTER})
	}
	for _, n := range r.GetNodes() {
		c.Nodes = append(c.Nodes, nodeOf(n))
	}
	for _, x := range r.GetReplicas() {
		c.Replicas = append(c.Replicas, replicaOf(x))
	}
	s.Clusters = s.Clusters.Set(c.ID, c)
	return nil
}

// count fills in what hosts count of clusters. It runs on a state that was
// not published yet.
func (s *State) count() {
	for c := range s.Clusters.Values() {
		for i := range c.Nodes {
			if h := s.Hosts.At(c.Nodes[i].HostID); h != nil {
				h.Placed++
			}
		}
		for i := range c.Replicas {
			if h := s.Hosts.At(c.Replicas[i].HostID); h != nil {
				h.Replicas = h.Replicas.Set(c.ID, h.Replicas.At(c.ID)+1)
			}
		}
	}
}
