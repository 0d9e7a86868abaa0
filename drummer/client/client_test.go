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
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// fake is a Drummer server or a NodeHost API that answers as told.
type fake struct {
	pb.UnimplementedDrummerServer
	pb.UnimplementedNodeHostAPIServer
	locate  func() (*pb.LocateResponse, error)
	define  func() error
	propose func() (*pb.ProposeResponse, error)
	read    func() (*pb.ReadResponse, error)

	mu    sync.Mutex
	calls int
}

func (f *fake) called() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *fake) Locate(context.Context, *pb.LocateRequest) (*pb.LocateResponse, error) {
	f.called()
	return f.locate()
}

func (f *fake) DefineClusters(context.Context, *pb.DefineClustersRequest) (*pb.DefineClustersResponse, error) {
	f.called()
	return &pb.DefineClustersResponse{}, f.define()
}

func (f *fake) Propose(context.Context, *pb.ProposeRequest) (*pb.ProposeResponse, error) {
	f.called()
	return f.propose()
}

func (f *fake) Read(context.Context, *pb.ReadRequest) (*pb.ReadResponse, error) {
	f.called()
	return f.read()
}

// stage runs a test in a bubble with fakes by address.
func stage(t *testing.T, fakes map[string]*fake, drummers []string, test func(t *testing.T, c *Client, network *testkit.Net)) {
	synctest.Test(t, func(t *testing.T) {
		var network testkit.Net
		var served sync.WaitGroup
		for address, f := range fakes {
			server := rpc.NewServer(nil, rpc.Limits{})
			pb.RegisterDrummerServer(server, f)
			pb.RegisterNodeHostAPIServer(server, f)
			listener := network.Listen(address)
			served.Go(func() { _ = server.Serve(listener) })
			defer func(s *rpc.Server) { s.Stop() }(server)
		}
		c, err := New(Config{Drummers: drummers, Dial: network.Dial})
		require.NoError(t, err)
		defer c.Close()
		test(t, c, &network)
	})
}

func within(t *testing.T, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func TestAnotherServerIsTried(t *testing.T) {
	good := &fake{define: func() error { return nil }}
	bad := &fake{define: func() error { return status.Error(codes.Unavailable, "no leader") }}
	stage(t, map[string]*fake{"bad": bad, "good": good}, []string{"nobody", "bad", "good"}, func(t *testing.T, c *Client, _ *testkit.Net) {
		require.NoError(t, c.Define(within(t, 10*time.Second), "a test"))
		before := bad.count()
		for range 20 {
			require.NoError(t, c.Define(within(t, 10*time.Second), "a test"))
		}
		require.Equal(t, before, bad.count(), "the server that answered is asked first from then on")
	})
}

// A server that was added later is found when the one that was configured is no
// more, and one that was removed is tried no more.
func TestAddedServersAreLearnt(t *testing.T) {
	says := func(servers ...string) func() (*pb.LocateResponse, error) {
		return func() (*pb.LocateResponse, error) { return &pb.LocateResponse{Servers: servers}, nil }
	}
	first := &fake{locate: says("first", "added", "")}
	added := &fake{locate: says("added")}
	stage(t, map[string]*fake{"first": first, "added": added}, []string{"first"}, func(t *testing.T, c *Client, network *testkit.Net) {
		_, err := c.Locate(within(t, 10*time.Second), 1)
		require.NoError(t, err)
		network.Cut("first")
		defer network.Heal("first")
		_, err = c.Locate(within(t, 10*time.Second), 1)
		require.NoError(t, err)
		require.Equal(t, 1, added.count())
		added.locate = says("elsewhere")
		_, err = c.Locate(within(t, 10*time.Second), 1)
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"first", "elsewhere"}, c.order())
	})
}

func TestServerThatSwallowsIsLeft(t *testing.T) {
	one, two := &fake{define: func() error { return nil }}, &fake{define: func() error { return nil }}
	stage(t, map[string]*fake{"one": one, "two": two}, []string{"one", "two"}, func(t *testing.T, c *Client, network *testkit.Net) {
		network.Cut("one")
		defer network.Heal("one")
		for range 5 {
			require.NoError(t, c.Define(within(t, 2*defaultTryTimeout), "a test"))
		}
		require.Zero(t, one.count())
	})
}

func TestRefusalIsNotRepeated(t *testing.T) {
	f := &fake{define: func() error { return status.Error(codes.InvalidArgument, "size 0") }}
	stage(t, map[string]*fake{"f": f}, []string{"f"}, func(t *testing.T, c *Client, _ *testkit.Net) {
		require.ErrorContains(t, c.Define(within(t, 10*time.Second), "a test"), "size 0")
		require.Equal(t, 1, f.count())
	})
}

func TestGivesUpWithTheLastError(t *testing.T) {
	f := &fake{define: func() error { return status.Error(codes.Unavailable, "no leader is known") }}
	stage(t, map[string]*fake{"f": f}, []string{"f"}, func(t *testing.T, c *Client, _ *testkit.Net) {
		err := c.Define(within(t, 5*time.Second), "a test")
		require.ErrorContains(t, err, "no leader is known")
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.Greater(t, f.count(), 5, "it went on for its time")
	})
}

func TestClosedClient(t *testing.T) {
	stage(t, nil, []string{"f"}, func(t *testing.T, c *Client, _ *testkit.Net) {
		c.Close()
		require.ErrorIs(t, c.Define(within(t, time.Second), "a test"), ErrClosed)
		_, err := c.NodeHost("h").Propose(within(t, time.Second), NoOpSession(1), nil)
		require.Equal(t, NoEffect, OutcomeOf(err))
	})
}

func TestNeedsServers(t *testing.T) {
	_, err := New(Config{})
	require.ErrorContains(t, err, "at least one")
}

func locations(index, ccid uint64, members ...*pb.MemberLocation) *pb.LocateResponse {
	return &pb.LocateResponse{DbIndex: index, Clusters: []*pb.ClusterLocation{{ClusterId: 1, ConfigChangeId: ccid, LeaderId: 2, Members: members}}}
}

func TestLocationIsCachedForAWhile(t *testing.T) {
	ccid := uint64(0)
	f := &fake{locate: func() (*pb.LocateResponse, error) { ccid++; return locations(ccid, ccid), nil }}
	stage(t, map[string]*fake{"f": f}, []string{"f"}, func(t *testing.T, c *Client, _ *testkit.Net) {
		at := func() uint64 {
			location, err := c.Location(within(t, time.Second), 1)
			require.NoError(t, err)
			return location.GetConfigChangeId()
		}
		require.Equal(t, uint64(1), at())
		time.Sleep(defaultMaxAge - time.Second)
		require.Equal(t, uint64(1), at())
		c.Forget(1)
		require.Equal(t, uint64(2), at())
		time.Sleep(defaultMaxAge + time.Second)
		require.Equal(t, uint64(3), at())
		_, err := c.Location(within(t, time.Second), 99)
		require.ErrorContains(t, err, "no cluster 99")
	})
}

func TestSlowAnswerDoesNotReplaceANewerOne(t *testing.T) {
	c := cache{maxAge: time.Minute}
	c.put(locations(9, 5))
	c.put(locations(8, 4))
	require.Equal(t, uint64(5), c.get(1).GetConfigChangeId())
}

func running(node uint64, api string) *pb.MemberLocation {
	return &pb.MemberLocation{NodeId: node, ApiAddress: api, Running: true, Role: pb.MemberRole_VOTER}
}

func raftError(code codes.Code, raft pb.RaftErrorCode, noEffect bool) error {
	st, err := status.New(code, raft.String()).WithDetails(&pb.RaftError{Code: raft, NoEffect: noEffect})
	if err != nil {
		panic(err)
	}
	return st.Err()
}

func TestProposeGoesOnOnlyWithoutEffect(t *testing.T) {
	drummer := &fake{locate: func() (*pb.LocateResponse, error) {
		return locations(1, 1, running(1, "a"), running(2, "b"), &pb.MemberLocation{NodeId: 3, ApiAddress: "c"}), nil
	}}
	a := &fake{propose: func() (*pb.ProposeResponse, error) { return &pb.ProposeResponse{Value: 7}, nil }}
	b := &fake{}
	stage(t, map[string]*fake{"d": drummer, "a": a, "b": b}, []string{"d"}, func(t *testing.T, c *Client, _ *testkit.Net) {
		b.propose = func() (*pb.ProposeResponse, error) {
			return nil, raftError(codes.Unavailable, pb.RaftErrorCode_CLUSTER_NOT_READY, true)
		}
		out, err := c.Propose(within(t, 10*time.Second), 1, nil)
		require.NoError(t, err)
		require.Equal(t, uint64(7), out.GetValue())
		require.Equal(t, []int{1, 1}, []int{b.count(), a.count()}, "the leader is asked first")

		b.propose = func() (*pb.ProposeResponse, error) {
			return nil, raftError(codes.Unavailable, pb.RaftErrorCode_CLUSTER_CLOSED, false)
		}
		_, err = c.Propose(within(t, 10*time.Second), 1, nil)
		require.Equal(t, Unknown, OutcomeOf(err))
		require.Equal(t, 1, a.count(), "a proposal that may take effect is not made again")
	})
}

func TestReadGoesOnWhateverHappens(t *testing.T) {
	drummer := &fake{locate: func() (*pb.LocateResponse, error) {
		return locations(1, 1, running(1, "a"), running(2, "b"), running(3, "gone")), nil
	}}
	a := &fake{read: func() (*pb.ReadResponse, error) { return &pb.ReadResponse{Data: []byte("x")}, nil }}
	b := &fake{read: func() (*pb.ReadResponse, error) {
		return nil, raftError(codes.NotFound, pb.RaftErrorCode_CLUSTER_NOT_FOUND, true)
	}}
	stage(t, map[string]*fake{"d": drummer, "a": a, "b": b}, []string{"d"}, func(t *testing.T, c *Client, _ *testkit.Net) {
		data, err := c.Read(within(t, 10*time.Second), 1, nil)
		require.NoError(t, err)
		require.Equal(t, "x", string(data))
	})
}

func TestOnlyMembersThatCanAnswerAreAsked(t *testing.T) {
	witness := running(4, "w")
	witness.Role = pb.MemberRole_WITNESS
	members := leaderFirst(locations(1, 1, running(1, "a"), running(2, "b"), &pb.MemberLocation{NodeId: 3, ApiAddress: "c"},
		witness, running(5, "")).GetClusters()[0])
	require.Equal(t, []*pb.MemberLocation{running(2, "b"), running(1, "a")}, members)
}

// What is not known of a cluster is asked of Drummer before anything is proposed.
func TestProposalToAClusterThatDrummerDoesNotTellHadNoEffect(t *testing.T) {
	drummer := &fake{locate: func() (*pb.LocateResponse, error) { return nil, status.Error(codes.PermissionDenied, "not you") }}
	stage(t, map[string]*fake{"d": drummer}, []string{"d"}, func(t *testing.T, c *Client, _ *testkit.Net) {
		_, err := c.Propose(within(t, 10*time.Second), 1, nil)
		require.Equal(t, codes.PermissionDenied, status.Code(err))
		require.Equal(t, NoEffect, OutcomeOf(err), err)
	})
}

func TestClusterThatNobodyServes(t *testing.T) {
	drummer := &fake{locate: func() (*pb.LocateResponse, error) { return locations(1, 1), nil }}
	stage(t, map[string]*fake{"d": drummer}, []string{"d"}, func(t *testing.T, c *Client, _ *testkit.Net) {
		_, err := c.Read(within(t, 10*time.Second), 1, nil)
		require.ErrorContains(t, err, "no running member")
		_, err = c.Propose(within(t, 10*time.Second), 1, nil)
		require.Equal(t, NoEffect, OutcomeOf(err), err)
	})
}

func TestOutcomes(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want Outcome
	}{
		"no error":                  {nil, OK},
		"a closed client":           {ErrClosed, NoEffect},
		"a NodeHost's word":         {raftError(codes.Unavailable, pb.RaftErrorCode_SYSTEM_BUSY, true), NoEffect},
		"a NodeHost that can't say": {raftError(codes.DeadlineExceeded, pb.RaftErrorCode_TIMEOUT, false), Unknown},
		"gRPC: unavailable":         {status.Error(codes.Unavailable, "connection refused"), Unknown},
		"gRPC: deadline":            {status.Error(codes.DeadlineExceeded, ""), Unknown},
		"gRPC: canceled":            {status.Error(codes.Canceled, ""), Unknown},
		"gRPC: too large":           {status.Error(codes.ResourceExhausted, ""), Unknown},
		"anything else":             {errors.New("?"), Unknown},
	} {
		require.Equal(t, tc.want, OutcomeOf(tc.err), name)
	}
	require.Equal(t, "ok fail unknown Outcome(9)", OK.String()+" "+NoEffect.String()+" "+Unknown.String()+" "+Outcome(9).String())
}

func TestCompletedMovesASession(t *testing.T) {
	session := &pb.Session{ClusterId: 1, ClientId: 5, SeriesId: 1}
	Completed(session)
	require.Equal(t, uint64(2), session.GetSeriesId())
	require.Equal(t, uint64(1), session.GetRespondedTo())
}
