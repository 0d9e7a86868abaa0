// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
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

func TestProposalThatNobodyTookHadNoEffect(t *testing.T) {
	stage(t, map[string]*fake{"swallows": {}}, []string{"d"}, func(t *testing.T, c *Client, network *testkit.Net) {
		network.Cut("swallows")
		defer network.Heal("swallows")
		for address, code := range map[string]codes.Code{"refuses": codes.Unavailable, "swallows": codes.DeadlineExceeded} {
			_, err := c.NodeHost(address).Propose(within(t, time.Second), NoOpSession(1), nil)
			require.ErrorIs(t, err, errNotSent, address)
			require.Equal(t, NoEffect, OutcomeOf(err), address)
			require.Equal(t, code, status.Code(err), "the error is still gRPC's")
		}
	})
}

func TestProposalThatWasSentMayHaveHadAnEffect(t *testing.T) {
	calls := map[string]func() (*pb.ProposeResponse, error){
		"says that it is unavailable": func() (*pb.ProposeResponse, error) { return nil, status.Error(codes.Unavailable, "connection refused") },
		"answers too late":            func() (*pb.ProposeResponse, error) { time.Sleep(10 * time.Second); return nil, nil },
	}
	for name, propose := range calls {
		stage(t, map[string]*fake{"a": {propose: propose}}, []string{"d"}, func(t *testing.T, c *Client, network *testkit.Net) {
			_, err := c.NodeHost("a").Propose(within(t, time.Second), NoOpSession(1), nil)
			require.Equal(t, Unknown, OutcomeOf(err), name)
		})
	}
	// A host that is silent on a connection that stands may have got it.
	quick := &fake{propose: func() (*pb.ProposeResponse, error) { return &pb.ProposeResponse{}, nil }}
	stage(t, map[string]*fake{"a": quick}, []string{"d"}, func(t *testing.T, c *Client, network *testkit.Net) {
		_, err := c.NodeHost("a").Propose(within(t, time.Second), NoOpSession(1), nil)
		require.NoError(t, err)
		network.Cut("a")
		defer network.Heal("a")
		_, err = c.NodeHost("a").Propose(within(t, time.Second), NoOpSession(1), nil)
		require.Equal(t, Unknown, OutcomeOf(err))
	})
}

// taker is a NodeHost that remembers what it was asked to propose.
type taker struct {
	pb.UnimplementedNodeHostAPIServer
	mu    sync.Mutex
	taken map[string]bool
}

func (s *taker) Propose(_ context.Context, in *pb.ProposeRequest) (*pb.ProposeResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken[string(in.GetCommand())] = true
	return &pb.ProposeResponse{}, nil
}

// breaking is a connection that breaks after a number of writes.
type breaking struct {
	net.Conn
	left int
}

func (b *breaking) Write(p []byte) (int, error) {
	if b.left--; b.left < 0 {
		b.Conn.Close()
	}
	return b.Conn.Write(p)
}

// Connections refuse and break at any moment, also while many calls share one:
// what a server took must never be taken for not sent.
func TestWhatWasTakenIsNeverCalledNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := &taker{taken: map[string]bool{}}
		var network testkit.Net
		server := rpc.NewServer(nil, rpc.Limits{})
		pb.RegisterNodeHostAPIServer(server, host)
		listener := network.Listen("a")
		var served sync.WaitGroup
		served.Go(func() { _ = server.Serve(listener) })
		defer served.Wait()
		defer server.Stop()
		random := rand.New(rand.NewPCG(1, 2)) // used by gRPC's one dial at a time
		c, err := New(Config{Drummers: []string{"d"}, Dial: func(ctx context.Context, address string) (net.Conn, error) {
			if random.IntN(3) == 0 {
				return nil, fmt.Errorf("%s refuses", address)
			}
			conn, err := network.Dial(ctx, address)
			return &breaking{conn, random.IntN(20)}, err
		}})
		require.NoError(t, err)
		defer c.Close()

		outcomes := map[Outcome][]string{}
		var mu sync.Mutex
		var clients sync.WaitGroup
		for client := range 8 {
			clients.Go(func() {
				for n := range 200 {
					command := fmt.Sprintf("%d-%d", client, n)
					_, err := c.NodeHost("a").Propose(within(t, time.Second), NoOpSession(1), []byte(command))
					mu.Lock()
					outcomes[OutcomeOf(err)] = append(outcomes[OutcomeOf(err)], command)
					mu.Unlock()
					time.Sleep(time.Duration(10+client) * time.Millisecond)
				}
			})
		}
		clients.Wait()
		server.Stop() // what was under way has arrived, or never will
		for _, command := range outcomes[NoEffect] {
			require.False(t, host.taken[command], "proposal %s took effect, and the client was told that it was not sent", command)
		}
		for _, outcome := range []Outcome{OK, NoEffect, Unknown} {
			require.NotEmpty(t, outcomes[outcome], "%s", outcome)
		}
	})
}
