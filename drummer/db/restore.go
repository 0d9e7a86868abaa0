// SPDX-License-Identifier: Apache-2.0

package db

import (
	"errors"
	"fmt"
	"maps"

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
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("the snapshot of DrummerDB contradicts itself: %w", err)
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
	type replicas struct {
		cluster uint64
		count   int
	}
	lists := map[string][]replicas{} // by NodeHost ID, in the order of clusters
	hosts := maps.Collect(s.Hosts.All())
	for c := range s.Clusters.Values() {
		for i := range c.Nodes {
			if h := hosts[c.Nodes[i].HostID]; h != nil {
				h.Placed++
			}
		}
		for i := range c.Replicas {
			list := lists[c.Replicas[i].HostID]
			if last := len(list) - 1; last >= 0 && list[last].cluster == c.ID {
				list[last].count++
			} else {
				lists[c.Replicas[i].HostID] = append(list, replicas{c.ID, 1})
			}
			if h := hosts[c.Replicas[i].HostID]; h != nil && c.Replicas[i].Running {
				h.Running++
			}
		}
	}
	for id, list := range lists {
		if h := hosts[id]; h != nil {
			counts := make([]int, len(list))
			for i, r := range list {
				counts[i] = r.count
			}
			next := 0
			h.Replicas = ordmap.FromSorted(counts, func(int) uint64 { next++; return list[next-1].cluster })
		}
	}
}
