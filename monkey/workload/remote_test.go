// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// drummer is a Drummer server that locates one cluster, and can be away.
type drummer struct {
	pb.UnimplementedDrummerServer
	mu      sync.Mutex
	away    bool
	asked   int
	members []*pb.MemberLocation
}

func (d *drummer) Locate(ctx context.Context, in *pb.LocateRequest) (*pb.LocateResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	if d.away {
		d.mu.Unlock()
		<-ctx.Done()
		d.mu.Lock()
		return nil, ctx.Err()
	}
	if in.GetClusterIds()[0] != 1 {
		return &pb.LocateResponse{}, nil
	}
	return &pb.LocateResponse{Clusters: []*pb.ClusterLocation{{ClusterId: 1, Members: d.members}}}, nil
}

func (d *drummer) set(away bool, members ...*pb.MemberLocation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.away, d.members = away, members
}

func (d *drummer) times() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

// withRemote runs a test in a bubble, with a Remote that reaches a drummer.
func withRemote(t *testing.T, test func(t *testing.T, r *Remote, d *drummer)) {
	synctest.Test(t, func(t *testing.T) {
		d := &drummer{}
		listener := bufconn.Listen(1 << 16)
		server := grpc.NewServer()
		pb.RegisterDrummerServer(server, d)
		var serving sync.WaitGroup
		serving.Go(func() { _ = server.Serve(listener) })
		c, err := client.New(client.Config{
			Drummers: []string{"drummer-1:1"},
			Dial:     func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) },
		})
		require.NoError(t, err)
		test(t, NewRemote(c), d)
		c.Close()
		server.Stop()
		serving.Wait()
	})
}

func member(address string, running bool, role pb.MemberRole) *pb.MemberLocation {
	return &pb.MemberLocation{ApiAddress: address, Running: running, Role: role}
}

func TestLocateKeepsWhatDrummerSaid(t *testing.T) {
	withRemote(t, func(t *testing.T, r *Remote, d *drummer) {
		d.set(false, member("a", true, pb.MemberRole_VOTER), member("b", false, pb.MemberRole_OBSERVER),
			member("c", true, pb.MemberRole_WITNESS), member("", true, pb.MemberRole_VOTER))
		want := []Member{{"a", true}, {"b", false}}
		for range 3 {
			members, err := r.Locate(t.Context(), 1)
			require.NoError(t, err)
			require.Equal(t, want, members, "a witness, and a member without an API, can not be asked")
		}
		require.Equal(t, 1, d.times())

		d.set(false, member("d", true, pb.MemberRole_VOTER))
		r.Forget(1)
		members, err := r.Locate(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, []Member{{"d", true}}, members)

		time.Sleep(freshFor)
		_, err = r.Locate(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, 3, d.times())
	})
}

func TestLocateUsesWhatItKnowsWhileDrummerIsAway(t *testing.T) {
	withRemote(t, func(t *testing.T, r *Remote, d *drummer) {
		d.set(false, member("a", true, pb.MemberRole_VOTER))
		_, err := r.Locate(t.Context(), 1)
		require.NoError(t, err)
		d.set(true)
		time.Sleep(freshFor)
		for range 10 {
			began := time.Now()
			members, err := r.Locate(t.Context(), 1)
			require.NoError(t, err)
			require.Equal(t, []Member{{"a", true}}, members)
			require.LessOrEqual(t, time.Since(began), refreshTimeout)
			r.Forget(1) // does not make every operation wait for Drummer
		}
		require.Equal(t, 2, d.times())

		d.set(false, member("b", true, pb.MemberRole_VOTER))
		time.Sleep(retryAfter)
		members, err := r.Locate(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, []Member{{"b", true}}, members)
	})
}

func TestLocateOfAnUnknownClusterIsAnError(t *testing.T) {
	withRemote(t, func(t *testing.T, r *Remote, d *drummer) {
		_, err := r.Locate(t.Context(), 9)
		require.ErrorContains(t, err, "cluster 9")
		d.set(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = r.Locate(ctx, 9)
		require.Error(t, err)
		require.False(t, errors.Is(err, context.Canceled))
	})
}
