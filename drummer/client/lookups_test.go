// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// slowly answers a lookup after a second, with the clusters that were asked for but 13,
// unless its caller's time is over before.
type slowly struct {
	mu    sync.Mutex
	asked [][]uint64
	err   error
}

func (s *slowly) call(ctx context.Context, ids []uint64) (*pb.LocateResponse, error) {
	s.mu.Lock()
	s.asked = append(s.asked, ids)
	index, err := uint64(len(s.asked)), s.err
	s.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	out := &pb.LocateResponse{DbIndex: index, Servers: []string{"d"}}
	for _, id := range ids {
		if id != 13 {
			out.Clusters = append(out.Clusters, &pb.ClusterLocation{ClusterId: id})
		}
	}
	return out, err
}

func TestLookupsAtTheSameTimeShareACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowly{}
		l := lookups{call: s.call}
		var callers sync.WaitGroup
		ask := func(took time.Duration, ids ...uint64) {
			start := time.Now()
			callers.Go(func() {
				out, err := l.locate(t.Context(), ids)
				if err != nil || len(out.GetClusters()) != len(ids) || out.GetKnown() != uint64(len(ids)) || out.GetServers()[0] != "d" || time.Since(start) != took {
					t.Errorf("%v after %v: %v, %v", ids, time.Since(start), out, err)
					return
				}
				for i, id := range ids {
					if out.GetClusters()[i].GetClusterId() != id {
						t.Errorf("%v at %d of %v", out.GetClusters()[i], i, ids)
					}
				}
			})
		}
		ask(time.Second, 1) // alone, at once
		synctest.Wait()
		ask(time.Second, 2, 2, 1) // while another one is on its way, too
		synctest.Wait()
		time.Sleep(time.Second / 2)
		for id := range uint64(100) {
			ask(3*time.Second/2, id+50, id+20) // by a call that begins after they asked
		}
		callers.Wait()
		require.Len(t, s.asked, 3)
		require.Len(t, s.asked[2], 130)

		out, err := l.locate(t.Context(), []uint64{13, 14})
		require.NoError(t, err)
		require.Len(t, out.GetClusters(), 1)
		require.Equal(t, uint64(14), out.GetClusters()[0].GetClusterId())
		require.Equal(t, uint64(1), out.GetKnown())
	})
}

func TestTooManyLookupsForOneCallTakeSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowly{}
		l := lookups{call: s.call}
		var callers sync.WaitGroup
		for range maxFlying {
			callers.Go(func() { _, _ = l.locate(t.Context(), []uint64{1}) })
			synctest.Wait()
		}
		for id := range uint64(2*maxBatch + 1) {
			callers.Go(func() {
				if out, err := l.locate(t.Context(), []uint64{id + 100}); err != nil || len(out.GetClusters()) != 1 {
					t.Errorf("cluster %d: %v, %v", id+100, out, err)
				}
			})
		}
		callers.Wait()
		require.Len(t, s.asked, maxFlying+3)
		for _, ids := range s.asked {
			require.LessOrEqual(t, len(ids), maxBatch)
		}
	})
}

func TestACallGoesOnWithAnotherCallerWhenItsOwnHasNoTimeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowly{}
		l := lookups{call: s.call}
		var callers sync.WaitGroup
		ask := func(limit time.Duration, id uint64, want error) {
			callers.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				if _, err := l.locate(ctx, []uint64{id}); !errors.Is(err, want) && (want == nil) != (err == nil) {
					t.Errorf("cluster %d: %v", id, err)
				}
			})
			synctest.Wait()
		}
		for range maxFlying {
			ask(time.Hour, 1, nil)
		}
		ask(1100*time.Millisecond, 2, context.DeadlineExceeded) // makes the next call, and leaves it
		for id := range uint64(5) {
			ask(time.Hour, id+3, nil)
		}
		ask(500*time.Millisecond, 9, context.DeadlineExceeded) // leaves before
		callers.Wait()
		// Nobody is left behind, and no turn is lost.
		require.Zero(t, l.flying)
		require.Empty(t, l.waiting)
		for range 2 * maxFlying {
			ask(100*time.Millisecond, 1, context.DeadlineExceeded)
		}
		callers.Wait()
		require.Zero(t, l.flying)
		require.Empty(t, l.waiting)
	})
}

func TestTheErrorOfACallIsThatOfAllItsCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowly{err: errors.New("refused")}
		l := lookups{call: s.call}
		var callers sync.WaitGroup
		for id := range uint64(10) {
			callers.Go(func() {
				if _, err := l.locate(t.Context(), []uint64{id}); !errors.Is(err, s.err) {
					t.Errorf("cluster %d: %v", id, err)
				}
			})
		}
		callers.Wait()
		require.Zero(t, l.flying)
	})
}
