// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

const testDeployment = 7

// fakeDrummer is a Drummer server that does what a test says, and keeps the
// picture that the agents' reports add up to.
type fakeDrummer struct {
	pb.UnimplementedNodeHostsServer
	address string
	grpc    *rpc.Server
	served  sync.WaitGroup

	mu         sync.Mutex
	deployment uint64
	epoch      uint64
	generation uint64  // of disks, that Welcomes have
	redirect   *string // answer Hellos with this
	mute       bool    // send no pings
	hellos     []*pb.Hello
	hosts      map[string]*fakeHost // by NodeHost ID
}

// fakeHost is one agent, as this server knows it.
type fakeHost struct {
	push    chan *pb.ServerMessage
	reports map[key]*pb.NodeReport
	results []*pb.RequestResult
	beats   int
	// generation is that of the disk, by the last heartbeat.
	generation uint64
}

func startFake(network *testkit.Net, address string) *fakeDrummer {
	f := &fakeDrummer{address: address, deployment: testDeployment, hosts: map[string]*fakeHost{}}
	f.grpc = rpc.NewServer(nil, rpc.Limits{})
	pb.RegisterNodeHostsServer(f.grpc, f)
	listener := network.Listen(address)
	f.served.Go(func() { _ = f.grpc.Serve(listener) })
	return f
}

func (f *fakeDrummer) stop() {
	f.grpc.Stop()
	f.served.Wait()
}

func (f *fakeDrummer) Attach(stream grpc.BidiStreamingServer[pb.AgentMessage, pb.ServerMessage]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	hello := first.GetHello()
	f.mu.Lock()
	f.hellos = append(f.hellos, hello)
	redirect, deployment, epoch, generation := f.redirect, f.deployment, f.epoch, f.generation
	host := f.hosts[hello.GetHost().GetNodehostId()]
	if host == nil {
		host = &fakeHost{}
		f.hosts[hello.GetHost().GetNodehostId()] = host
	}
	push := make(chan *pb.ServerMessage, 100)
	host.push = push
	host.take(first)
	f.mu.Unlock()
	if redirect != nil {
		return stream.Send(&pb.ServerMessage{Body: &pb.ServerMessage_Redirect{Redirect: &pb.Redirect{LeaderAddress: *redirect}}})
	}
	if err := stream.Send(&pb.ServerMessage{Body: &pb.ServerMessage_Welcome{Welcome: &pb.Welcome{
		DeploymentId: deployment, DeploymentEpoch: epoch, HeartbeatIntervalNs: int64(time.Second), Server: f.address, DiskGeneration: generation}}}); err != nil {
		return err
	}
	go func() {
		for {
			message, err := stream.Recv()
			if err != nil {
				return
			}
			f.mu.Lock()
			host.take(message)
			f.mu.Unlock()
		}
	}()
	pings := time.NewTicker(time.Second)
	defer pings.Stop()
	for {
		select {
		case message := <-push:
			if err := stream.Send(message); err != nil {
				return err
			}
		case <-pings.C:
			f.mu.Lock()
			mute := f.mute
			f.mu.Unlock()
			if !mute {
				if err := stream.Send(&pb.ServerMessage{Body: &pb.ServerMessage_Ping{Ping: &pb.Ping{}}}); err != nil {
					return err
				}
			}
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

// take adds a message to the picture.
func (h *fakeHost) take(message *pb.AgentMessage) {
	switch body := message.GetBody().(type) {
	case *pb.AgentMessage_Hello:
		h.reports = map[key]*pb.NodeReport{}
		h.merge(body.Hello.GetNodes())
	case *pb.AgentMessage_Delta:
		h.merge(body.Delta.GetChanged())
		for _, gone := range body.Delta.GetGone() {
			delete(h.reports, key{gone.GetClusterId(), gone.GetNodeId()})
		}
	case *pb.AgentMessage_Result:
		h.results = append(h.results, body.Result)
	case *pb.AgentMessage_Heartbeat:
		h.beats++
		h.generation = body.Heartbeat.GetDiskGeneration()
	}
}

func (h *fakeHost) merge(reports []*pb.NodeReport) {
	for _, report := range reports {
		k := key{report.GetClusterId(), report.GetNodeId()}
		if report.GetMembership() == nil {
			report.Membership = h.reports[k].GetMembership()
		}
		h.reports[k] = report
	}
}

// locked lets a test look into the fake.
func (f *fakeDrummer) locked(look func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	look()
}

func (f *fakeDrummer) report(host string, k key) *pb.NodeReport {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h := f.hosts[host]; h != nil && h.reports[k] != nil {
		return proto.Clone(h.reports[k]).(*pb.NodeReport)
	}
	return nil
}

func (f *fakeDrummer) result(host string, operation uint64) *pb.RequestResult {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hosts[host]
	if h == nil {
		return nil
	}
	for i := len(h.results) - 1; i >= 0; i-- {
		if h.results[i].GetOperationId() == operation {
			return h.results[i]
		}
	}
	return nil
}

// stage is a fake Drummer, or several, and NodeHosts with agents.
type stage struct {
	t          *testing.T
	net        testkit.Net
	drummers   []*fakeDrummer
	hosts      []*testHost
	operations uint64
}

type testHost struct {
	address  string
	disk     vfs.FS
	nodehost *dragonboat.NodeHost
	agent    *Agent
	// removeData is the on-disk application's; nil: it has none.
	removeData func(cluster, node uint64) error
}

// newStage starts the fakes and NodeHosts. It must be called in a bubble.
func newStage(t *testing.T, drummers, hosts int) *stage {
	s := &stage{t: t}
	for i := range drummers {
		s.drummers = append(s.drummers, startFake(&s.net, fmt.Sprintf("drummer-%d", i)))
	}
	for i := range hosts {
		h := &testHost{address: fmt.Sprintf("%s/host-%d", strings.ToLower(t.Name()), i), disk: vfs.NewMem()}
		s.hosts = append(s.hosts, h)
		s.boot(h)
	}
	t.Cleanup(func() {
		for _, h := range s.hosts {
			s.shutdown(h)
		}
		for _, f := range s.drummers {
			f.stop()
		}
	})
	return s
}

func (s *stage) boot(h *testHost) {
	listener := NewListener(nil, nil)
	conf := testkit.NodeHostConfig(h.address, h.disk)
	conf.RaftEventListener, conf.SystemEventListener = listener, listener
	h.nodehost = testkit.StartNodeHost(s.t, conf)
	config := Config{
		APIAddress: "api of " + h.address, Region: "west", Labels: map[string]string{"rack": "7"},
		Registry: map[string]Application{"kv": {Regular: testkit.NewKV}, "disk": {OnDisk: testkit.NewOnDiskKV, RemoveData: h.removeData}},
		Listener: listener, Dial: s.net.Dial, Rand: rand.New(rand.NewPCG(1, 2)),
	}
	for _, f := range s.drummers {
		config.Drummers = append(config.Drummers, f.address)
	}
	agent, err := New(h.nodehost, config)
	require.NoError(s.t, err)
	h.agent = agent
}

func (s *stage) shutdown(h *testHost) {
	if h.agent != nil {
		h.agent.Close()
		h.nodehost.Stop()
		h.agent, h.nodehost = nil, nil
	}
}

func (s *stage) until(what string, holds func() bool) {
	s.t.Helper()
	for start := time.Now(); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Since(start) > 30*time.Second {
			s.t.Fatalf("after 30 s this does not hold: %s", what)
		}
	}
}

// ask sends a request to a host and returns what became of it.
func (s *stage) ask(h *testHost, req *pb.Request) *pb.RequestResult {
	s.t.Helper()
	s.operations++
	req.OperationId = s.operations
	if req.NodehostId == "" {
		req.NodehostId = h.nodehost.ID()
	}
	if req.DeploymentId == 0 {
		req.DeploymentId = testDeployment
	}
	if req.LeaderTerm == 0 {
		req.LeaderTerm = 5
	}
	s.push(h, &pb.ServerMessage{Body: &pb.ServerMessage_Request{Request: req}})
	var result *pb.RequestResult
	s.until(fmt.Sprintf("%v has a result", req.GetKind()), func() bool {
		result = s.drummers[0].result(h.nodehost.ID(), req.GetOperationId())
		return result != nil
	})
	return result
}

func (s *stage) push(h *testHost, message *pb.ServerMessage) {
	s.t.Helper()
	f, id := s.drummers[0], h.nodehost.ID()
	var push chan *pb.ServerMessage
	s.until("the host is attached", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.hosts[id] == nil || h.agent.Attached() == "" {
			return false
		}
		push = f.hosts[id].push
		return true
	})
	push <- message
}

// must asks and expects DONE.
func (s *stage) must(h *testHost, req *pb.Request) *pb.RequestResult {
	s.t.Helper()
	result := s.ask(h, req)
	require.Equal(s.t, pb.ResultCode_DONE, result.GetCode(), "%s", result.GetDetail())
	return result
}

// startMember starts a member of a cluster of three, or fewer hosts.
func (s *stage) startMember(cluster uint64, hosts ...*testHost) {
	s.t.Helper()
	members := map[uint64]string{}
	for i, h := range hosts {
		members[uint64(i+1)] = h.address
	}
	for i, h := range hosts {
		s.must(h, &pb.Request{
			Kind: pb.RequestKind_START_NODE, ClusterId: cluster, NodeId: uint64(i + 1), Join: pb.JoinMode_INITIAL,
			InitialMembers: members, Spec: &pb.ClusterSpec{ClusterId: cluster, Application: "kv", Size: uint32(len(hosts))},
		})
	}
	s.until("the cluster's membership is reported with a leader", func() bool {
		r := s.drummers[0].report(hosts[0].nodehost.ID(), key{cluster, 1})
		return r.GetLeaderId() != 0 && len(r.GetMembership().GetVoters()) == len(hosts)
	})
}
