// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/workload"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// byMonkey is whom Drummer's events name for what the scenario's operator asks.
const byMonkey = "monkey"

// actionLimit is how long Drummer may take to accept an action; without a
// leader it can't.
const actionLimit = 90 * time.Second

// wanted is what the clusters should be at present: the scenario's
// specifications as the operator has changed them. It is safe for concurrent
// use.
type wanted struct {
	scenario *scenarios.Scenario

	mu      sync.Mutex
	sizes   map[uint64]int // by ClusterID
	deleted map[uint64]bool
	drained map[string]bool // hosts that must be empty in the end
}

func newWanted(s *scenarios.Scenario) *wanted {
	w := &wanted{scenario: s, sizes: map[uint64]int{}, deleted: map[uint64]bool{}, drained: map[string]bool{}}
	for i := range s.Clusters.Count {
		w.sizes[uint64(i+1)] = s.Clusters.Size
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

// mustBeEmpty lists the hosts that are being, or were, drained.
func (w *wanted) mustBeEmpty() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.drained))
}

// spec makes the specification of a cluster as it should be.
func (w *wanted) spec(id uint64) *pb.ClusterSpec {
	c := w.scenario.Clusters
	s := &pb.ClusterSpec{
		ClusterId:   id,
		Application: workload.ApplicationOf(w.scenario, id),
		Size:        uint32(w.size(id)),
		Raft: &pb.RaftConfig{
			ElectionRtt: uint64(c.ElectionRTT), HeartbeatRtt: uint64(c.HeartbeatRTT),
			SnapshotEntries: proto.Uint64(uint64(c.SnapshotEntries)), CompactionOverhead: proto.Uint64(uint64(c.CompactionOverhead)),
		},
	}
	if len(c.Regions) > 0 {
		s.Regions = map[string]uint32{}
		for name, n := range c.Regions {
			s.Regions[name] = uint32(n)
		}
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

// operate carries out the scenario's actions at their times since start. What
// Drummer refuses ends them: the scenario did not mean that.
func (r *runner) operate(ctx context.Context, start time.Time) error {
	for _, a := range r.scenario.Actions {
		if !sleep(ctx, time.Until(start.Add(a.At.D()))) {
			return nil
		}
		limited, cancel := context.WithTimeout(ctx, actionLimit)
		text, err := r.act(limited, a)
		cancel()
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("the action %s at %s: %w", a.Do, a.At, err)
		}
		r.events.Add(rundir.Event{Kind: rundir.Operator, Op: a.Do, Text: text})
	}
	return nil
}

// act carries out one action, and tells what it was about.
func (r *runner) act(ctx context.Context, a scenarios.Action) (string, error) {
	switch a.Do {
	case scenarios.Drain:
		return r.setMode(ctx, a.Host.String(), pb.HostMode_DRAIN)
	case scenarios.Cordon:
		return r.setMode(ctx, a.Host.String(), pb.HostMode_CORDON)
	case scenarios.Activate:
		return r.setMode(ctx, a.Host.String(), pb.HostMode_ACTIVE)
	case scenarios.Resize:
		return r.resize(ctx, a)
	case scenarios.Create:
		return r.create(ctx, a.Clusters)
	case scenarios.Delete:
		return r.delete(ctx, a.Clusters)
	case scenarios.PauseAll:
		return "Drummer", r.drummer.Pause(ctx, byMonkey, "the scenario says so")
	case scenarios.Resume:
		return "Drummer", r.drummer.Resume(ctx, byMonkey)
	}
	return "", fmt.Errorf("nobody knows how to %s", a.Do)
}

func (r *runner) setMode(ctx context.Context, host string, mode pb.HostMode) (string, error) {
	err := r.drummer.SetHostMode(ctx, byMonkey, r.host(host).RaftAddress, mode, false)
	if err != nil {
		return "", err
	}
	r.wanted.mu.Lock()
	defer r.wanted.mu.Unlock()
	delete(r.wanted.drained, host)
	if mode == pb.HostMode_DRAIN {
		r.wanted.drained[host] = true
	}
	return host, nil
}

func (r *runner) resize(ctx context.Context, a scenarios.Action) (string, error) {
	n := a.Clusters
	if n == 0 {
		n = r.scenario.Clusters.Count
	}
	ids := r.wanted.clusters()[:n]
	r.wanted.mu.Lock()
	for _, id := range ids {
		r.wanted.sizes[id] = a.Size
	}
	r.wanted.mu.Unlock()
	err := r.drummer.UpdateClusters(ctx, byMonkey, r.wanted.specs(ids)...)
	return fmt.Sprintf("%d clusters to %d members", n, a.Size), err
}

func (r *runner) create(ctx context.Context, n int) (string, error) {
	r.wanted.mu.Lock()
	next := uint64(r.scenario.Clusters.Count)
	for _, known := range []uint64{maxKey(r.wanted.sizes), maxKey(r.wanted.deleted)} {
		next = max(next, known)
	}
	var ids []uint64
	for i := range n {
		ids = append(ids, next+uint64(i)+1)
		r.wanted.sizes[ids[i]] = r.scenario.Clusters.Size
	}
	r.wanted.mu.Unlock()
	return fmt.Sprintf("clusters %d to %d", ids[0], ids[n-1]), r.drummer.Define(ctx, r.wanted.specs(ids)...)
}

func (r *runner) delete(ctx context.Context, n int) (string, error) {
	ids := r.wanted.clusters()
	ids = ids[len(ids)-n:]
	r.wanted.mu.Lock()
	for _, id := range ids {
		delete(r.wanted.sizes, id)
		r.wanted.deleted[id] = true
	}
	r.wanted.mu.Unlock()
	return fmt.Sprintf("clusters %d to %d", ids[0], ids[n-1]), r.drummer.DeleteClusters(ctx, byMonkey, ids...)
}

func maxKey[V any](m map[uint64]V) uint64 {
	var greatest uint64
	for k := range m {
		greatest = max(greatest, k)
	}
	return greatest
}
