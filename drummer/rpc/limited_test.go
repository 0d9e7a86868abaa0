// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
)

// worker is a Drummer server that works on a definition until it is released.
type worker struct {
	pb.UnimplementedDrummerServer
	release chan struct{}
	mu      sync.Mutex
	working int
	most    int
}

func (w *worker) DefineClusters(context.Context, *pb.DefineClustersRequest) (*pb.DefineClustersResponse, error) {
	w.mu.Lock()
	w.working++
	w.most = max(w.most, w.working)
	w.mu.Unlock()
	<-w.release
	w.mu.Lock()
	w.working--
	w.mu.Unlock()
	return &pb.DefineClustersResponse{}, nil
}

func (*worker) Status(context.Context, *pb.StatusRequest) (*pb.StatusResponse, error) {
	return &pb.StatusResponse{Server: "here"}, nil
}

// limitedStage is a worker behind a gate, and a network on which what it is sent is counted.
type limitedStage struct {
	t      *testing.T
	net    testkit.Net
	worker *worker
	server *Server
	sent   atomic.Int64
	once   sync.Once
}

func newLimitedStage(t *testing.T, limits Limits) *limitedStage {
	require.NoError(t, limits.Validate())
	s := &limitedStage{t: t, worker: &worker{release: make(chan struct{})}, server: NewServer(nil, limits)}
	pb.RegisterDrummerServer(s.server, s.worker)
	listener := s.net.Listen("server")
	go func() { _ = s.server.Serve(listener) }()
	t.Cleanup(func() { s.release(); s.server.Stop() })
	return s
}

// release lets all work end.
func (s *limitedStage) release() { s.once.Do(func() { close(s.worker.release) }) }

// client has a connection of its own.
func (s *limitedStage) client() pb.DrummerClient {
	conn, err := Dialer{Dial: func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := s.net.Dial(ctx, address)
		return &countedConn{conn, &s.sent}, err
	}}.Connect("server")
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close() })
	return pb.NewDrummerClient(conn)
}

type countedConn struct {
	net.Conn
	sent *atomic.Int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

func large() *pb.DefineClustersRequest {
	return &pb.DefineClustersRequest{Specs: []*pb.ClusterSpec{{ClusterId: 1, Application: string(make([]byte, 31<<20))}}}
}

// define sends n large definitions at once, and returns how they end.
func (s *limitedStage) define(client pb.DrummerClient, n int) <-chan error {
	ends := make(chan error, n)
	request := large()
	for range n {
		go func() {
			ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
			defer cancel()
			_, err := client.DefineClusters(ctx, request)
			ends <- err
		}()
	}
	return ends
}

// 60 requests of 31 MiB at once: the server takes two of a caller, holds no more of the
// others than a window, serves other callers meanwhile, and says what to do.
func TestLargeRequestsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLimitedStage(t, Limits{})
		ends := s.define(s.client(), 60)
		time.Sleep(time.Second)
		require.LessOrEqual(t, s.sent.Load(), int64(2*(32<<20)+60*streamWindow+2*connWindow))
		start := time.Now()
		answer, err := s.client().Status(t.Context(), &pb.StatusRequest{})
		require.NoError(t, err)
		require.Equal(t, "here", answer.GetServer())
		require.Less(t, time.Since(start), time.Second)
		for range 58 {
			err := <-ends
			require.Equal(t, codes.ResourceExhausted, status.Code(err), "%v", err)
			require.ErrorContains(t, err, "limits.peer_bytes")
			require.ErrorContains(t, err, "try again")
		}
		s.release()
		for range 2 {
			require.NoError(t, <-ends)
		}
		require.Equal(t, 2, s.worker.most)
		require.Equal(t, uint64(58), s.server.Refused())
		require.NoError(t, <-s.define(s.client(), 1), "there is room again")
		synctest.Wait()
		require.Zero(t, s.server.gate.bytes)
		require.Zero(t, s.server.gate.calls)
		require.Empty(t, s.server.gate.peers)
	})
}

// Callers together get no more than all of them may, whoever they are.
func TestCallersTogetherAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLimitedStage(t, Limits{Bytes: 100 << 20})
		var ends []<-chan error
		for range 4 {
			ends = append(ends, s.define(s.client(), 2))
		}
		time.Sleep(time.Second)
		require.Equal(t, 3, s.worker.most)
		start := time.Now()
		_, err := s.client().Status(t.Context(), &pb.StatusRequest{})
		require.NoError(t, err, "a small call needs no room")
		require.Less(t, time.Since(start), time.Second)
		require.LessOrEqual(t, s.sent.Load(), int64(3*(32<<20)+5*streamWindow+8*connWindow))
		s.release()
		for _, end := range ends {
			require.NoError(t, <-end, "who waits gets its turn")
			require.NoError(t, <-end)
		}
	})
}

func TestCallsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLimitedStage(t, Limits{PeerCalls: 3})
		client := s.client()
		for range 3 {
			go func() { _, _ = client.DefineClusters(t.Context(), &pb.DefineClustersRequest{}) }()
		}
		time.Sleep(time.Second)
		_, err := client.Status(t.Context(), &pb.StatusRequest{})
		require.Equal(t, codes.ResourceExhausted, status.Code(err), "%v", err)
		require.ErrorContains(t, err, "limits.peer_calls")
		_, err = s.client().Status(t.Context(), &pb.StatusRequest{})
		require.NoError(t, err)
		s.release()
	})
}

// A caller that has room kept for a large message, and trickles it, loses the call.
func TestAMessageThatTakesTooLongIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLimitedStage(t, Limits{})
		conn, err := Dialer{Dial: func(ctx context.Context, address string) (net.Conn, error) {
			conn, err := s.net.Dial(ctx, address)
			return slowConn{conn}, err
		}}.Connect("server")
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		start := time.Now()
		_, err = pb.NewDrummerClient(conn).DefineClusters(t.Context(), large())
		require.Equal(t, codes.ResourceExhausted, status.Code(err), "%v", err)
		require.ErrorContains(t, err, "did not arrive within 40s")
		require.InDelta(t, receiveTimeout, time.Since(start), float64(2*time.Second))
		synctest.Wait()
		require.Zero(t, s.server.gate.bytes)
	})
}

// slowConn takes a while for each write.
type slowConn struct{ net.Conn }

func (c slowConn) Write(p []byte) (int, error) {
	time.Sleep(100 * time.Millisecond)
	return c.Conn.Write(p)
}

func TestConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLimitedStage(t, Limits{Connections: 2})
		first, second, third := s.client(), s.client(), s.client()
		for _, client := range []pb.DrummerClient{first, second} {
			_, err := client.Status(t.Context(), &pb.StatusRequest{})
			require.NoError(t, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := third.Status(ctx, &pb.StatusRequest{})
		require.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
	})
}

func TestLimitsThatNothingCouldWorkUnder(t *testing.T) {
	require.NoError(t, Limits{}.Validate())
	for want, limits := range map[string]Limits{
		"peer_bytes is 1048576; it must be at least": {PeerBytes: 1 << 20},
		"less than peer_bytes":                       {Bytes: 32 << 20, PeerBytes: 64 << 20},
		"peer_calls 5":                               {Calls: 3, PeerCalls: 5},
		"connections is -1":                          {Connections: -1},
	} {
		require.ErrorContains(t, limits.Validate(), want)
	}
}
