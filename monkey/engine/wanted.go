// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"maps"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// wanted is what the clusters should be at present: the scenario's
// specifications as the operator has changed them. It is safe for concurrent
// use.
type wanted struct {
	scenario      *scenarios.Scenario
	applicationOf func(cluster uint64) string

	mu      sync.Mutex
	sizes   map[uint64]int // by ClusterID
	deleted map[uint64]bool
	drained map[string]bool // hosts that must be empty in the end
}

func newWanted(s *scenarios.Scenario, applicationOf func(cluster uint64) string) *wanted {
	w := &wanted{scenario: s, applicationOf: applicationOf, sizes: map[uint64]int{}, deleted: map[uint64]bool{}, drained: map[string]bool{}}
	for _, id := range s.Clusters.IDs() {
		w.sizes[id] = s.Clusters.Size
	}
	return w
}

// clusters lists the ClusterIDs that should be there, in order.
func (w *wanted) clusters() []uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.sizes))
}

// size is the number of voters a cluster should have; 0: it should not be.
func (w *wanted) size(cluster uint64) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sizes[cluster]
}

// members is what a cluster should have; nothing: it should not be.
func (w *wanted) members(cluster uint64) members {
	size := w.size(cluster)
	if size == 0 {
		return members{}
	}
	return members{size, w.scenario.Clusters.Observers, w.scenario.Clusters.Witnesses}
}

// mustBeEmpty lists the hosts that are being, or were, drained.
func (w *wanted) mustBeEmpty() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.drained))
}

var compression = map[string]pb.Compression{scenarios.NoCompression: pb.Compression_UNCOMPRESSED, scenarios.Snappy: pb.Compression_SNAPPY}

// spec makes the specification of a cluster as it should be.
func (w *wanted) spec(id uint64) *pb.ClusterSpec {
	c := w.scenario.Clusters
	s := &pb.ClusterSpec{
		ClusterId:   id,
		Application: w.applicationOf(id),
		Size:        uint32(w.size(id)),
		Raft: &pb.RaftConfig{
			ElectionRtt: uint64(c.ElectionRTT), HeartbeatRtt: uint64(c.HeartbeatRTT),
			SnapshotEntries: proto.Uint64(uint64(c.SnapshotEntries)), CompactionOverhead: proto.Uint64(uint64(c.CompactionOverhead)),
			CheckQuorum: proto.Bool(c.CheckQuorum), Quiesce: c.Quiesce, MaxInMemLogSize: uint64(c.MaxInMemLogSize),
			EntryCompression: compression[c.EntryCompression], SnapshotCompression: compression[c.SnapshotCompression],
		},
	}
	if len(c.Regions) > 0 {
		s.Regions = map[string]uint32{}
		for name, n := range c.Regions {
			s.Regions[name] = uint32(n)
		}
	}
	switch c.SpreadOver {
	case scenarios.SpreadOverRegions, scenarios.SpreadOverRacks:
		s.SpreadOver = c.SpreadOver
	}
	for _, name := range c.RequiredLabels {
		if s.RequiredLabels == nil {
			s.RequiredLabels = map[string]string{}
		}
		s.RequiredLabels[name] = world.LabelValue
	}
	return s
}

func (w *wanted) specs(ids []uint64) []*pb.ClusterSpec {
	specs := make([]*pb.ClusterSpec, len(ids))
	for i, id := range ids {
		specs[i] = w.spec(id)
	}
	return specs
}
