// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// served starts the health service on host b and returns a client on host a.
func served(t *testing.T, n *Network) (stop func(), client func(opts ...grpc.DialOption) (grpc_health_v1.HealthClient, func())) {
	t.Helper()
	l, err := n.Listen("b", "b:api")
	require.NoError(t, err)
	s := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}))
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(l)
	}()
	stop = func() { s.Stop(); <-done }
	client = func(opts ...grpc.DialOption) (grpc_health_v1.HealthClient, func()) {
		opts = append(opts, grpc.WithContextDialer(n.Dialer("a")), grpc.WithTransportCredentials(insecure.NewCredentials()))
		cc, err := grpc.NewClient("passthrough:///b:api", opts...)
		require.NoError(t, err)
		return grpc_health_v1.NewHealthClient(cc), func() { require.NoError(t, cc.Close()) }
	}
	return stop, client
}

func check(h grpc_health_v1.HealthClient, limit time.Duration) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	start := time.Now()
	_, err = h.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	return time.Since(start), err
}

func TestGRPCOverADelayedLink(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		stop, client := served(t, n)
		defer stop()
		h, bye := client()
		defer bye()
		require.NoError(t, n.SetLink("a", "b", Link{Delay: 10 * time.Millisecond}))
		require.NoError(t, n.SetLink("b", "a", Link{Delay: 20 * time.Millisecond}))
		_, err := check(h, time.Second)
		require.NoError(t, err)
		took, err := check(h, time.Second)
		require.NoError(t, err)
		require.Equal(t, 30*time.Millisecond, took)
	})
}

func TestGRPCHearsOfAKillAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		stop, client := served(t, n)
		h, bye := client()
		defer bye()
		watch, err := h.Watch(context.Background(), &grpc_health_v1.HealthCheckRequest{})
		require.NoError(t, err)
		_, err = watch.Recv()
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() { n.Down("b", true) })
		start := time.Now()
		_, err = watch.Recv()
		require.Equal(t, codes.Unavailable, status.Code(err), err)
		require.Equal(t, time.Second, time.Since(start))
		took, err := check(h, time.Minute)
		require.Equal(t, codes.Unavailable, status.Code(err), err)
		require.Less(t, took, time.Second)
		stop()

		n.Up("b")
		stop, _ = served(t, n)
		defer stop()
		time.Sleep(5 * time.Second) // longer than the client's back-off
		_, err = check(h, time.Second)
		require.NoError(t, err)
	})
}

func TestGRPCKeepaliveFindsASilentHost(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		stop, client := served(t, n)
		defer stop()
		h, bye := client(grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 3 * time.Second}))
		defer bye()
		watch, err := h.Watch(context.Background(), &grpc_health_v1.HealthCheckRequest{})
		require.NoError(t, err)
		_, err = watch.Recv()
		require.NoError(t, err)
		n.Down("b", false)
		start := time.Now()
		_, err = watch.Recv()
		require.Equal(t, codes.Unavailable, status.Code(err), err)
		require.InDelta(t, 13, time.Since(start).Seconds(), 3)
		took, err := check(h, 2*time.Second)
		require.Equal(t, codes.DeadlineExceeded, status.Code(err), err)
		require.Equal(t, 2*time.Second, took)
	})
}

func TestGRPCOutlivesAShortCut(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		stop, client := served(t, n)
		defer stop()
		h, bye := client()
		defer bye()
		_, err := check(h, time.Second)
		require.NoError(t, err)
		n.Isolate("b")
		time.AfterFunc(4*time.Second, n.HealAll)
		took, err := check(h, time.Minute)
		require.NoError(t, err)
		require.GreaterOrEqual(t, took, 4*time.Second)
		require.Less(t, took, 5*time.Second)
		require.Zero(t, n.Total().Resets)
	})
}
