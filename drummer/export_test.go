// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Whoever follows the event log has each event once and in order, while one leader
// after the other is lost, and when it goes on after the last one it has written down.
func TestEventLogIsExportedWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 3, 0)
		w.leader()
		var seen []uint64
		interrupted := errors.New("interrupted")
		follow := func(ctx context.Context, until int) error {
			after := uint64(0)
			if len(seen) > 0 {
				after = seen[len(seen)-1]
			}
			return w.client.WatchEvents(ctx, after, func(e *pb.Event) error {
				seen = append(seen, e.GetSequence())
				if len(seen) == until {
					return interrupted
				}
				return nil
			})
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			if err := follow(ctx, 4); !errors.Is(err, interrupted) {
				done <- err
				return
			}
			done <- follow(ctx, 0) // as if started again
		}()
		for id := range uint64(12) {
			require.NoError(t, w.client.Define(w.context(time.Minute), "a test", &pb.ClusterSpec{ClusterId: id + 1, Application: "kv", Size: 1}))
			if id%3 == 2 {
				leader := w.leader()
				disk := w.servers[leader].NodeHost().NodeHostConfig().Expert.FS
				w.stopServer(leader)
				time.Sleep(3 * time.Second)
				server, err := w.newServer(leader, disk)
				require.NoError(t, err)
				w.servers[leader] = server
				w.leader()
			}
		}
		time.Sleep(20 * time.Second)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		out, err := w.client.ListEvents(w.context(time.Minute), &pb.ListEventsRequest{})
		require.NoError(t, err)
		require.Greater(t, len(out.GetEvents()), 16)
		require.Len(t, seen, len(out.GetEvents()))
		for i, sequence := range seen {
			require.Equal(t, uint64(i+1), sequence)
		}
	})
}

// A server that is cut off from DrummerDB ends a watch, so that the watcher goes on
// elsewhere, and one is told when it goes on after what never was.
func TestWatchOfEventsEndsWhereThereAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 3, 0)
		leader := w.leader()
		w.until(10*time.Second, "events are there", func() bool {
			out, err := w.client.ListEvents(w.context(time.Second), &pb.ListEventsRequest{})
			return err == nil && len(out.GetEvents()) > 1
		})
		err := w.client.WatchEvents(w.context(time.Minute), 1000, func(*pb.Event) error { return nil })
		require.Equal(t, codes.OutOfRange, status.Code(err), "%v", err)

		stream, err := w.fleet().WatchEvents(w.context(10*time.Minute), &pb.WatchEventsRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.NoError(t, err)
		for id := range w.servers {
			if id != leader {
				w.stopServer(id)
			}
		}
		start := time.Now()
		for err == nil {
			_, err = stream.Recv()
		}
		require.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
		require.Less(t, time.Since(start), 20*time.Second)
	})
}

// Watchers are bounded.
func TestWatchersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newDeployment(t, 1, 0)
		fleet := w.fleet()
		const allowed = 64
		watch := func(ctx context.Context) error {
			stream, err := fleet.WatchEvents(ctx, &pb.WatchEventsRequest{})
			if err == nil {
				_, err = stream.Recv()
			}
			return err
		}
		first, cancel := context.WithCancel(w.context(time.Hour))
		require.NoError(t, watch(first))
		for range allowed - 1 {
			require.NoError(t, watch(w.context(time.Hour)))
		}
		require.Equal(t, codes.ResourceExhausted, status.Code(watch(w.context(time.Hour))))
		cancel()
		time.Sleep(time.Second)
		require.NoError(t, watch(w.context(time.Hour)))
	})
}
