// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
	"github.com/drumbeat-raft/drumbeat/drummer/server"
)

// trio is three Drummer servers in a bubble, or fewer.
type trio struct {
	t       *testing.T
	net     testkit.Net
	members map[uint64]server.Peer
	disks   map[uint64]vfs.FS
	servers map[uint64]*server.Server
}

func newTrio(t *testing.T, n uint64) *trio {
	w := &trio{t: t, members: map[uint64]server.Peer{}, disks: map[uint64]vfs.FS{}, servers: map[uint64]*server.Server{}}
	for id := uint64(1); id <= n; id++ {
		name := strings.ToLower(t.Name()) + "/" + string(rune('0'+id))
		w.members[id] = server.Peer{RaftAddress: name + "/raft", Address: name + "/grpc"}
		w.disks[id] = vfs.NewMem()
	}
	for id := range w.members {
		w.start(id)
	}
	t.Cleanup(func() {
		for id := range w.servers {
			w.stop(id)
		}
	})
	return w
}

func (w *trio) config(id uint64) server.Config {
	return server.Config{
		NodeHost: testkit.NodeHostConfig(w.members[id].RaftAddress, w.disks[id]), NodeID: id, Members: w.members,
		Listener: w.net.Listen(w.members[id].Address), Dial: w.net.Dial, DeploymentID: 7,
	}
}

func (w *trio) start(id uint64) {
	s, err := server.New(w.config(id))
	require.NoError(w.t, err)
	w.servers[id] = s
}

func (w *trio) stop(id uint64) {
	w.servers[id].Close()
	delete(w.servers, id)
}

func (w *trio) leader() uint64 {
	for start := time.Now(); time.Since(start) < 30*time.Second; time.Sleep(50 * time.Millisecond) {
		for id, s := range w.servers {
			if _, ok := s.Leading(); ok {
				return id
			}
		}
	}
	w.t.Fatal("no server leads after 30 s")
	return 0
}

func (w *trio) conn(id uint64) *grpc.ClientConn {
	conn, err := rpc.Dialer{Dial: w.net.Dial}.Connect(w.members[id].Address)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (w *trio) context(limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	w.t.Cleanup(cancel)
	return ctx
}

func helloOf(id string) *pb.AgentMessage {
	return &pb.AgentMessage{Body: &pb.AgentMessage_Hello{Hello: &pb.Hello{
		Host: &pb.NodeHostInfo{NodehostId: id, RaftAddress: "raft of " + id}}}}
}

// attach opens a stream and returns the answer to its first message.
func (w *trio) attach(id uint64, first *pb.AgentMessage) (grpc.BidiStreamingClient[pb.AgentMessage, pb.ServerMessage], *pb.ServerMessage, error) {
	stream, err := pb.NewNodeHostsClient(w.conn(id)).Attach(w.context(time.Minute))
	require.NoError(w.t, err)
	if err := stream.Send(first); !errors.Is(err, io.EOF) { // the server may have ended the stream
		require.NoError(w.t, err)
	}
	answer, err := stream.Recv()
	return stream, answer, err
}

func TestLeaderWelcomesOthersRedirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		leader := w.leader()
		time.Sleep(time.Second)
		for id := range w.members {
			_, answer, err := w.attach(id, helloOf("nhid-1"))
			require.NoError(t, err)
			if id == leader {
				require.Equal(t, uint64(7), answer.GetWelcome().GetDeploymentId())
				require.Equal(t, int64(time.Second), answer.GetWelcome().GetHeartbeatIntervalNs())
			} else {
				require.Equal(t, w.members[leader].Address, answer.GetRedirect().GetLeaderAddress())
			}
		}
	})
}

func TestBadHellosAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 1)
		leader := w.leader()
		foreign := helloOf("nhid-1")
		foreign.GetHello().DeploymentId = 8
		long := helloOf("nhid-1")
		long.GetHello().Host.RaftAddress = string(make([]byte, 300))
		labels := helloOf("nhid-1")
		labels.GetHello().Host.Labels = map[string]string{}
		for i := range db.MaxLabels + 1 {
			labels.GetHello().Host.Labels[string(rune('a'+i))] = "x"
		}
		for name, tc := range map[string]struct {
			message *pb.AgentMessage
			code    codes.Code
		}{
			"a heartbeat first":     {&pb.AgentMessage{Body: &pb.AgentMessage_Heartbeat{}}, codes.InvalidArgument},
			"nothing at all":        {&pb.AgentMessage{}, codes.InvalidArgument},
			"an empty NodeHost ID":  {helloOf(""), codes.InvalidArgument},
			"a very long address":   {long, codes.InvalidArgument},
			"too many labels":       {labels, codes.InvalidArgument},
			"of another deployment": {foreign, codes.FailedPrecondition},
		} {
			_, _, err := w.attach(leader, tc.message)
			require.Equal(t, tc.code, status.Code(err), "%s: %v", name, err)
		}
	})
}

func TestNewStreamOfAHostEndsTheOlderOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 1)
		leader := w.leader()
		older, _, err := w.attach(leader, helloOf("nhid-1"))
		require.NoError(t, err)
		_, _, err = w.attach(leader, helloOf("nhid-1"))
		require.NoError(t, err)
		for err = nil; err == nil; {
			_, err = older.Recv()
		}
		require.Equal(t, codes.Aborted, status.Code(err))
	})
}

func TestSilentHostIsDetachedAndDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 1)
		leader := w.leader()
		stream, _, err := w.attach(leader, helloOf("nhid-1"))
		require.NoError(t, err)
		heartbeat := &pb.AgentMessage{Body: &pb.AgentMessage_Heartbeat{Heartbeat: &pb.Heartbeat{}}}
		var start time.Time // of the silence
		pings := 0
		for begin := time.Now(); ; {
			message, err := stream.Recv()
			if err != nil {
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "%v", err)
				break
			}
			if message.GetPing() != nil {
				pings++
			}
			if time.Since(begin) < 40*time.Second {
				require.NoError(t, stream.Send(heartbeat))
				start, pings = time.Now(), 0
			}
		}
		require.Equal(t, 15*time.Second, time.Since(start).Truncate(time.Second))
		require.InDelta(t, 15, pings, 2)
		time.Sleep(2 * time.Second)
		hosts, err := pb.NewDrummerClient(w.conn(leader)).ListNodeHosts(w.context(time.Second), &pb.ListNodeHostsRequest{})
		require.NoError(t, err)
		require.Equal(t, pb.NodeHostState_DEAD, hosts.GetHosts()[0].GetState())
	})
}

// Nobody ages while there is no leader: the clock is a count of ticks.
func TestNobodyAgesWithoutALeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		_, _, err := w.attach(w.leader(), helloOf("nhid-1"))
		require.NoError(t, err)
		time.Sleep(3 * time.Second)
		for id := range w.members {
			w.stop(id)
		}
		time.Sleep(time.Hour)
		for id := range w.members {
			w.start(id)
		}
		leader := w.leader()
		hosts, err := pb.NewDrummerClient(w.conn(leader)).ListNodeHosts(w.context(time.Second), &pb.ListNodeHostsRequest{})
		require.NoError(t, err)
		require.NotEqual(t, pb.NodeHostState_DEAD, hosts.GetHosts()[0].GetState())
	})
}

func TestAnyServerAnswersApplications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		leader := w.leader()
		for id := range w.members {
			spec := &pb.ClusterSpec{ClusterId: id, Application: "kv", Size: 3}
			_, err := pb.NewDrummerClient(w.conn(id)).DefineClusters(w.context(5*time.Second), &pb.DefineClustersRequest{Specs: []*pb.ClusterSpec{spec}})
			require.NoError(t, err)
		}
		for id := range w.members {
			out, err := pb.NewDrummerClient(w.conn(id)).Locate(w.context(5*time.Second), &pb.LocateRequest{})
			require.NoError(t, err)
			require.Len(t, out.GetClusters(), 3, "what was answered before is seen on every server")
			require.Equal(t, "the launch", out.GetClusters()[0].GetWaitingFor())
			require.Equal(t, uint32(3), w.servers[id].Locate(1).GetSpec().GetSize(), "in process")
			require.Nil(t, w.servers[id].Locate(4))
			s, err := pb.NewDrummerClient(w.conn(id)).Status(w.context(time.Second), &pb.StatusRequest{})
			require.NoError(t, err)
			require.Equal(t, id == leader, s.GetLeader())
			require.Equal(t, w.members[leader].Address, s.GetLeaderAddress())
		}
	})
}

func TestRefusalsHaveCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 1)
		c := pb.NewDrummerClient(w.conn(w.leader()))
		define := func(specs ...*pb.ClusterSpec) codes.Code {
			_, err := c.DefineClusters(w.context(5*time.Second), &pb.DefineClustersRequest{Specs: specs})
			return status.Code(err)
		}
		spec := func(size uint32) *pb.ClusterSpec { return &pb.ClusterSpec{ClusterId: 1, Application: "kv", Size: size} }
		require.Equal(t, codes.InvalidArgument, define())
		require.Equal(t, codes.InvalidArgument, define(spec(0)))
		require.Equal(t, codes.InvalidArgument, define(nil))
		endless := spec(3)
		endless.Raft = &pb.RaftConfig{ElectionRtt: 1 << 40}
		require.Equal(t, codes.InvalidArgument, define(endless))
		require.Equal(t, codes.OK, define(spec(3)))
		require.Equal(t, codes.OK, define(spec(3)), "the same again")
		require.Equal(t, codes.AlreadyExists, define(spec(5)))
		_, err := c.Locate(w.context(5*time.Second), &pb.LocateRequest{ClusterIds: make([]uint64, 100_001)})
		require.Equal(t, codes.InvalidArgument, status.Code(err))
		_, err = c.ListEvents(w.context(5*time.Second), &pb.ListEventsRequest{Limit: 10_001})
		require.Equal(t, codes.InvalidArgument, status.Code(err))
	})
}

func TestWithoutQuorumOnlyStatusAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 3)
		leader := w.leader()
		for id := range w.members {
			if id != leader {
				w.stop(id)
			}
		}
		time.Sleep(5 * time.Second) // CheckQuorum
		_, ok := w.servers[leader].Leading()
		require.False(t, ok, "a leader without a quorum steps down")
		c := pb.NewDrummerClient(w.conn(leader))
		_, err := c.Launch(w.context(10*time.Second), &pb.LaunchRequest{})
		require.Equal(t, codes.Unavailable, status.Code(err))
		s, err := c.Status(w.context(time.Second), &pb.StatusRequest{})
		require.NoError(t, err)
		require.False(t, s.GetLeader())
		_, answer, err := w.attach(leader, helloOf("nhid-1"))
		require.NoError(t, err)
		require.NotNil(t, answer.GetRedirect())
		require.Empty(t, answer.GetRedirect().GetLeaderAddress())
	})
}

func TestConfigMistakesAreExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &trio{t: t, members: map[uint64]server.Peer{1: {RaftAddress: "r", Address: "g"}}, disks: map[uint64]vfs.FS{1: vfs.NewMem()}}
		for want, spoil := range map[string]func(*server.Config){
			"NodeID above 0":       func(c *server.Config) { c.NodeID = 0 },
			"needs a listener":     func(c *server.Config) { c.Listener = nil },
			"DeploymentID above 0": func(c *server.Config) { c.DeploymentID = 0 },
			"not among the members": func(c *server.Config) {
				c.Members = map[uint64]server.Peer{2: {RaftAddress: "r", Address: "g"}}
			},
			"all three are needed": func(c *server.Config) { c.Members = map[uint64]server.Peer{1: {RaftAddress: "r"}} },
			"must be written":      func(c *server.Config) { c.Members = map[uint64]server.Peer{1: {RaftAddress: "R", Address: "g"}} },
			"members 1 and 2 both have the address r": func(c *server.Config) {
				c.Members = map[uint64]server.Peer{1: {RaftAddress: "r", Address: "g"}, 2: {RaftAddress: "r", Address: "g2"}}
			},
			"members 1 and 2 both have the address g": func(c *server.Config) {
				c.Members = map[uint64]server.Peer{1: {RaftAddress: "r", Address: "g"}, 2: {RaftAddress: "r2", Address: "g"}}
			},
			"members 1 and 2 both have the address 127.0.0.1:1": func(c *server.Config) {
				c.Members = map[uint64]server.Peer{1: {RaftAddress: "localhost:1", Address: "g"}, 2: {RaftAddress: "127.0.0.1:1", Address: "g2"}}
			},
			"server 2 has the RaftAddress r, which is member 1's": func(c *server.Config) { c.NodeID, c.Join = 2, true },
			"give it two ports": func(c *server.Config) {
				c.Members = map[uint64]server.Peer{1: {RaftAddress: "r", Address: "r"}}
			},
			"its NodeHost says": func(c *server.Config) { c.NodeHost.RaftAddress = "elsewhere" },
			"can't be started":  func(c *server.Config) { c.NodeHost.RTTMillisecond = 0 },
		} {
			config := w.config(1)
			spoil(&config)
			_, err := server.New(config)
			require.ErrorContains(t, err, want)
		}
	})
}

// A server on a disk that was used in one deployment does not start in another.
func TestTheDeploymentOfADiskCantChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 1)
		w.leader()
		w.stop(1)
		config := w.config(1)
		config.DeploymentID = 8
		_, err := server.New(config)
		require.ErrorContains(t, err, "belongs to a server of deployment 7, and the configuration says 8")
		require.ErrorContains(t, err, "set deployment_id: 7 again")
		w.start(1)
		w.leader()
	})
}
