// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

const (
	// maxFlying is how many calls ask for locations at a time: one is answered while
	// the next one is on its way.
	maxFlying = 2
	// maxBatch bounds the clusters that one of them asks for.
	maxBatch = 1000
)

// lookups lets those who ask for locations at the same time share calls. Who asks
// while enough calls are under way waits for one of them to end; then one of those who
// wait makes the next call, for all of them. So a lookup alone is a call at once, and
// many of them cost little more than one.
//
// Nobody is answered by a call that began before he asked, and no goroutine is needed:
// calls are made by those who ask, each within his own context.
type lookups struct {
	// call asks for clusters.
	call func(context.Context, []uint64) (*pb.LocateResponse, error)

	mu      sync.Mutex
	flying  int      // calls that are under way, or that somebody has the turn to make
	waiting []*batch // the oldest first
}

// batch is lookups that share a call. The lookups' mu guards ids and callers until the
// turn is given; out, found and err are set when done is closed.
type batch struct {
	ids     map[uint64]bool
	callers int           // who wait
	turn    chan struct{} // capacity 1; who takes it makes the call
	done    chan struct{}
	out     *pb.LocateResponse
	found   map[uint64]*pb.ClusterLocation
	err     error
}

// locate returns where some clusters are, at most maxBatch of them.
func (l *lookups) locate(ctx context.Context, ids []uint64) (*pb.LocateResponse, error) {
	b := l.join(ids)
	defer l.leave(b)
	select {
	case <-b.done:
		return b.answer(ids)
	case <-b.turn:
		out, err := l.call(ctx, slices.Sorted(maps.Keys(b.ids)))
		if err != nil && over(ctx) {
			b.turn <- struct{}{} // that says nothing to those who have more time
			return nil, err
		}
		l.end(b, out, err)
		return b.answer(ids)
	case <-ctx.Done():
		return nil, fmt.Errorf("no Drummer server answered in time: %w", status.FromContextError(ctx.Err()).Err())
	}
}

// join adds lookups to the batch that waits for the shortest time, if it has room.
func (l *lookups) join(ids []uint64) *batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := len(l.waiting) - 1
	if last < 0 || len(l.waiting[last].ids)+len(ids) > maxBatch {
		l.waiting = append(l.waiting, &batch{ids: map[uint64]bool{}, turn: make(chan struct{}, 1), done: make(chan struct{})})
		last++
	}
	b := l.waiting[last]
	for _, id := range ids {
		b.ids[id] = true
	}
	b.callers++
	l.giveTurns()
	return b
}

// giveTurns lets as many batches be called as may be.
func (l *lookups) giveTurns() {
	for l.flying < maxFlying && len(l.waiting) > 0 {
		l.flying++
		l.waiting[0].turn <- struct{}{}
		l.waiting = l.waiting[1:]
	}
}

// end hands the answer to all who wait for a batch.
func (l *lookups) end(b *batch, out *pb.LocateResponse, err error) {
	b.out, b.err = out, err
	b.found = make(map[uint64]*pb.ClusterLocation, len(out.GetClusters()))
	for _, c := range out.GetClusters() {
		b.found[c.GetClusterId()] = c
	}
	close(b.done)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying--
	l.giveTurns()
}

// leave takes a batch that nobody waits for any more out of the way of the others.
func (l *lookups) leave(b *batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.callers--; b.callers > 0 {
		return
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(w *batch) bool { return w == b })
	select {
	case <-b.turn:
		l.flying--
		l.giveTurns()
	default:
	}
}

// answer is what a batch has found out about some of its clusters.
func (b *batch) answer(ids []uint64) (*pb.LocateResponse, error) {
	if b.err != nil {
		return nil, b.err
	}
	out := &pb.LocateResponse{DbIndex: b.out.GetDbIndex(), Servers: b.out.GetServers()}
	for _, id := range ids {
		if c := b.found[id]; c != nil {
			out.Clusters = append(out.Clusters, c)
		}
	}
	out.Known = uint64(len(out.Clusters))
	return out, nil
}
