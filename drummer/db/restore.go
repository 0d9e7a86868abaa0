// SPDX-License-Identifier: Apache-2.0

package db

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db/ordmap"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// restoring is a state being built from records.
type restoring struct {
	*State
	header   *pb.SnapshotHeader
	unpacker *unpacker
	clusters []*Cluster // in order
}

// readState builds a state from records, and checks that it keeps its
// invariants: a snapshot that doesn't was not written by this program.
func readState(in *recordReader) (*State, error) {
	s, err := readRecords(in)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("the snapshot of DrummerDB contradicts itself: %w", err)
	}
	return s, nil
}

// readRecords builds a state from records, whatever it says.
func readRecords(in *recordReader) (*State, error) {
	s := &restoring{State: NewState()}
	for {
		r, err := in.next()
		if err != nil {
			return nil, err
		}
		if r == nil {
			break
		}
		if err := s.restore(r); err != nil {
			return nil, err
		}
	}
	if s.header == nil {
		return nil, errors.New("the snapshot of DrummerDB has no header")
	}
	s.Clusters = ordmap.FromSorted(s.clusters, func(c *Cluster) uint64 { return c.ID })
	s.count()
	if !proto.Equal(s.header, s.State.header()) {
		return nil, errors.New("the snapshot of DrummerDB has not the records that its header announces")
	}
	return s.State, nil
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

func (s *restoring) restore(r *pb.SnapshotRecord) error {
	if h := r.GetHeader(); (h != nil) != (s.header == nil) {
		return errors.New("the snapshot of DrummerDB has no header, or more than one")
	}
	switch body := r.Body.(type) {
	case *pb.SnapshotRecord_Header:
		s.header, s.unpacker = body.Header, newUnpacker(body.Header.GetIndex())
		s.restoreHeader(body.Header)
	case *pb.SnapshotRecord_Host:
		return s.restoreHost(body.Host)
	case *pb.SnapshotRecord_Clusters:
		return s.unpacker.clusters(body.Clusters, func(c *Cluster) { s.clusters = append(s.clusters, c) })
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

		DiskGeneration: r.DiskGeneration,
	}
	s.Hosts = s.Hosts.Set(h.ID(), h)
	if !h.Gone {
		s.Addresses = s.Addresses.Set(h.Address(), h.ID())
	}
	return nil
}

// count fills in what hosts count of clusters. It runs on a state that was
// not published yet.
func (s *State) count() {
	type counted struct {
		*Host
		replicas replicaCounts
	}
	hosts := map[string]*counted{}
	for id, h := range s.Hosts.All() {
		hosts[id] = &counted{Host: h}
	}
	for c := range s.Clusters.Values() {
		for i := range c.Nodes {
			if h := hosts[c.Nodes[i].HostID]; h != nil {
				h.Placed++
			}
		}
		for i := range c.Replicas {
			h := hosts[c.Replicas[i].HostID]
			if h == nil {
				continue // Check says so
			}
			h.replicas.add(c.ID)
			if c.Replicas[i].Running {
				h.Running++
			}
		}
	}
	for _, h := range hosts {
		h.Host.Replicas = h.replicas.asMap()
	}
}

// replicaCounts are Host.Replicas as they are found by a walk over the clusters, in
// their order.
type replicaCounts []ordmap.Entry[uint64, int]

// add counts a replica of a cluster.
func (r *replicaCounts) add(clusterID uint64) {
	if last := len(*r) - 1; last >= 0 && (*r)[last].Key == clusterID {
		(*r)[last].Value++
		return
	}
	*r = append(*r, ordmap.Entry[uint64, int]{Key: clusterID, Value: 1})
}

func (r replicaCounts) asMap() ordmap.Map[uint64, int] { return ordmap.Map[uint64, int]{}.SetAll(r) }

// are reports whether a map has the same counts.
func (r replicaCounts) are(m ordmap.Map[uint64, int]) bool {
	if m.Len() != len(r) {
		return false
	}
	i := 0
	for id, count := range m.All() {
		if r[i] != (ordmap.Entry[uint64, int]{Key: id, Value: count}) {
			return false
		}
		i++
	}
	return true
}
