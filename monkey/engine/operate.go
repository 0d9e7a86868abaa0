// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/fault"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// byMonkey is whom Drummer's events name for what the scenario's operator asks.
const byMonkey = "monkey"

// actionLimit is how long Drummer may take to accept an action; without a
// leader it can't.
const actionLimit = 90 * time.Second

// operate carries out actions at their times since start. What Drummer refuses
// ends them: the scenario did not mean that. The end of ctx is no error.
func operate(ctx context.Context, log fault.Log, start time.Time, actions []scenarios.Action,
	act func(context.Context, scenarios.Action) (string, error)) error {
	for _, a := range actions {
		planned := start.Add(a.At.D())
		if !sleep(ctx, time.Until(planned)) {
			return nil
		}
		limited, cancel := context.WithTimeout(ctx, actionLimit)
		text, err := act(limited, a)
		cancel()
		if err == nil {
			log.Add(timeline.OperatorActed{Action: a.Do, Planned: log.Since(planned), Text: text})
			continue
		}
		log.Add(timeline.OperatorFailed{Action: a.Do, Planned: log.Since(planned), Error: err.Error()})
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("the action %s at %s: %w", a.Do, a.At, err)
	}
	return nil
}

// operated reports whether somebody asks Drummer for changes.
func (r *runner) operated() bool {
	asks := func(l scenarios.Leaf) bool {
		kind, _ := scenarios.FaultKindOf(l.Fault.Kind)
		return kind.Needs == scenarios.CanOperate
	}
	return len(r.scenario.Actions) > 0 || slices.ContainsFunc(r.scenario.Leaves(), asks)
}

// act carries out one action, and returns what it was about.
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
	case scenarios.BackUp:
		data, err := r.drummer.Backup(ctx)
		r.backup = data
		return fmt.Sprintf("DrummerDB, %d bytes", len(data)), err
	case scenarios.Restore:
		return "DrummerDB", r.restore(ctx)
	}
	return "", fmt.Errorf("the action %q is not known", a.Do)
}

// restore restores the last backup into a DrummerDB that was begun since. Its servers may
// have only just begun, and a client takes an answer that says so for one.
func (r *runner) restore(ctx context.Context) error {
	for {
		err := r.drummer.Restore(ctx, byMonkey, r.backup)
		if err == nil || !sleep(ctx, time.Second) {
			return err
		}
	}
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
	return fmt.Sprintf("%d clusters to %d members", n, a.Size), r.resizeTo(ctx, a.Size, r.wanted.clusters()[:n])
}

// resizeTo gives those of the clusters that there are so many members.
func (r *runner) resizeTo(ctx context.Context, size int, ids []uint64) error {
	var there []uint64
	r.wanted.mu.Lock()
	for _, id := range ids {
		if r.wanted.sizes[id] > 0 {
			r.wanted.sizes[id] = size
			there = append(there, id)
		}
	}
	r.wanted.mu.Unlock()
	return r.drummer.UpdateClusters(ctx, byMonkey, r.wanted.specs(there)...)
}

func (r *runner) create(ctx context.Context, n int) (string, error) {
	ids, err := r.createNew(ctx, n)
	return fmt.Sprintf("clusters %d to %d", ids[0], ids[n-1]), err
}

// createNew makes clusters with the IDs after all that there ever were.
func (r *runner) createNew(ctx context.Context, n int) ([]uint64, error) {
	r.wanted.mu.Lock()
	next := uint64(r.scenario.Clusters.First + r.scenario.Clusters.Count - 1)
	for _, known := range []uint64{maxKey(r.wanted.sizes), maxKey(r.wanted.deleted)} {
		next = max(next, known)
	}
	var ids []uint64
	for i := range n {
		ids = append(ids, next+uint64(i)+1)
		r.wanted.sizes[ids[i]] = r.scenario.Clusters.Size
	}
	r.wanted.mu.Unlock()
	return ids, r.drummer.Define(ctx, byMonkey, r.wanted.specs(ids)...)
}

func (r *runner) delete(ctx context.Context, n int) (string, error) {
	ids := r.wanted.clusters()
	ids = ids[len(ids)-n:]
	return fmt.Sprintf("clusters %d to %d", ids[0], ids[n-1]), r.deleteThese(ctx, ids)
}

func (r *runner) deleteThese(ctx context.Context, ids []uint64) error {
	r.wanted.mu.Lock()
	for _, id := range ids {
		delete(r.wanted.sizes, id)
		r.wanted.deleted[id] = true
	}
	r.wanted.mu.Unlock()
	return r.drummer.DeleteClusters(ctx, byMonkey, ids...)
}

func maxKey[V any](m map[uint64]V) uint64 {
	var greatest uint64
	for k := range m {
		greatest = max(greatest, k)
	}
	return greatest
}
