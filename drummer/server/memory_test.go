// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
	"github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
	"github.com/drumbeat-raft/drumbeat/drummer/server/internal/peers"
)

// memoryGroup is DrummerDB without Raft: two replicas in memory that are fed
// the same bytes.
type memoryGroup struct {
	t       testing.TB
	members *dragonboat.Membership

	mu    sync.Mutex // reads go on beside what is proposed
	state *db.State
	twin  *db.State
}

var _ group = (*memoryGroup)(nil)

func (g *memoryGroup) propose(_ context.Context, command []byte) (statemachine.Result, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next, result := db.Apply(g.state, g.state.Index+1, command)
	twin, other := db.Apply(g.twin, g.twin.Index+1, bytes.Clone(command))
	g.state, g.twin = next, twin
	if !proto.Equal(result, other) {
		g.t.Fatalf("one replica says %v, the other %v", result, other)
	}
	data, err := proto.Marshal(result)
	return statemachine.Result{Value: uint64(result.Code), Data: data}, err
}

func (g *memoryGroup) proposeAll(ctx context.Context, commands [][]byte) ([]statemachine.Result, error) {
	var results []statemachine.Result
	for _, command := range commands {
		result, err := g.propose(ctx, command)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

func (g *memoryGroup) read(_ context.Context, query any) (any, error) { return g.staleRead(query) }

func (g *memoryGroup) staleRead(query any) (any, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if q, ok := query.(db.GetStateAt); ok && q.Index != g.state.Index {
		return (*db.State)(nil), nil
	}
	return g.state, nil
}

func (g *memoryGroup) Membership(context.Context) (*dragonboat.Membership, error) {
	return g.members, nil
}

func (g *memoryGroup) Voters() map[uint64]string { return g.members.Nodes }

func (g *memoryGroup) change(ccid uint64, change func(m *dragonboat.Membership)) error {
	if ccid != g.members.ConfigChangeID {
		return dragonboat.ErrRejected
	}
	next := &dragonboat.Membership{ConfigChangeID: ccid + 1, Nodes: map[uint64]string{}, Observers: map[uint64]string{}, Removed: map[uint64]struct{}{}}
	for id, at := range g.members.Nodes {
		next.Nodes[id] = at
	}
	for id, at := range g.members.Observers {
		next.Observers[id] = at
	}
	for id := range g.members.Removed {
		next.Removed[id] = struct{}{}
	}
	change(next)
	if len(next.Nodes) == 0 {
		g.t.Fatal("DrummerDB has lost its last server")
	}
	g.members = next
	return nil
}

func (g *memoryGroup) AddObserver(_ context.Context, nodeID uint64, address string, ccid uint64) error {
	return g.change(ccid, func(m *dragonboat.Membership) { m.Observers[nodeID] = address })
}

func (g *memoryGroup) AddVoter(_ context.Context, nodeID uint64, address string, ccid uint64) error {
	return g.change(ccid, func(m *dragonboat.Membership) {
		delete(m.Observers, nodeID)
		m.Nodes[nodeID] = address
	})
}

func (g *memoryGroup) Remove(_ context.Context, nodeID, ccid uint64) error {
	return g.change(ccid, func(m *dragonboat.Membership) {
		delete(m.Nodes, nodeID)
		delete(m.Observers, nodeID)
		m.Removed[nodeID] = struct{}{}
	})
}

func (g *memoryGroup) TransferLeader(uint64) error { return nil }

func (g *memoryGroup) Readable(context.Context, time.Duration) bool { return true }

// newBase is a deployment in which a cluster runs and another one is defined.
func newBase(t testing.TB) *db.State {
	g := &memoryGroup{t: t, state: db.NewState(), twin: db.NewState()}
	members := map[uint64]string{1: "a", 2: "b", 3: "c"}
	reports := &pb.HostReports{Term: 2}
	for i, id := range []string{"A", "B", "C", "D"} {
		r := &pb.HostReport{Full: true, Host: &pb.NodeHostInfo{NodehostId: id, RaftAddress: string(rune('a' + i)), Region: "r",
			Labels: map[string]string{"disk": "ssd", "rack": string(rune('0' + i%3))}}}
		if i < 3 {
			r.Nodes = []*pb.NodeReport{{ClusterId: 1, NodeId: uint64(i + 1), Running: true, Role: pb.MemberRole_VOTER,
				LeaderId: 1, Term: 2, Membership: &pb.Membership{ConfigChangeId: 3, Voters: members}}}
		}
		reports.Reports = append(reports.Reports, r)
	}
	for _, cmd := range []*pb.Command{
		{Body: &pb.Command_SetDeployment{SetDeployment: &pb.SetDeployment{DeploymentId: 7}}},
		{Body: &pb.Command_TakeLeadership{TakeLeadership: &pb.TakeLeadership{Term: 2, ServerNodeId: 1}}},
		{Body: &pb.Command_SetVersion{SetVersion: &pb.SetVersion{Version: db.Version}}},
		{Body: &pb.Command_DefineClusters{DefineClusters: &pb.DefineClusters{Specs: []*pb.ClusterSpec{
			{ClusterId: 1, Application: "kv", Size: 3}, {ClusterId: 2, Application: "kv", Size: 3, Regions: map[string]uint32{"r": 3}}}}}},
		{Body: &pb.Command_Reports{Reports: reports}},
		{Body: &pb.Command_SetLaunched{SetLaunched: &pb.SetLaunched{}}},
	} {
		data, err := proto.Marshal(cmd)
		if err != nil {
			t.Fatal(err)
		}
		if result, err := g.propose(context.Background(), data); err != nil || result.Value != uint64(pb.CommandCode_APPLIED) {
			t.Fatalf("%v ended with %v, %v", cmd, result, err)
		}
	}
	return g.state
}

// memoryServer is a leading server on a memoryGroup, without a loop: the test
// takes its turns.
type memoryServer struct {
	t          testing.TB
	group      *memoryGroup
	server     *Server
	leadership *leadership
	ctx        context.Context
	services   map[string]any
}

func newMemoryServer(t testing.TB, base *db.State) *memoryServer {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	members := map[uint64]Peer{1: {RaftAddress: "r1", Address: "g1"}, 2: {RaftAddress: "r2", Address: "g2"}, 3: {RaftAddress: "r3", Address: "g3"}}
	conf := Config{NodeID: 1, Members: members, DeploymentID: 7, NodeHost: config.NodeHostConfig{RaftAddress: "r1", RTTMillisecond: 100},
		Logger: slog.New(slog.DiscardHandler), Policy: schedule.DefaultPolicy()}
	conf.setDefaults()
	g := &memoryGroup{t: t, state: base, twin: base, members: &dragonboat.Membership{ConfigChangeID: 3,
		Nodes: conf.initialMembers(), Observers: map[uint64]string{}, Removed: map[uint64]struct{}{}}}
	s := &Server{config: conf, log: conf.Logger, leader: newLeaderListener(nil), group: g, guard: role.NewGuard(nil, conf.Logger)}
	disk := vfs.NewMem()
	if err := disk.MkdirAll("/d", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.openPeers(peers.FileIn(config.NodeHostConfig{NodeHostDir: "/d", Expert: config.ExpertConfig{FS: disk}}), "disk-1"); err != nil {
		t.Fatal(err)
	}
	s.leader.LeaderUpdated(raftio.LeaderInfo{ClusterID: ClusterID, NodeID: 1, LeaderID: 1, Term: 2})
	l := &leadership{server: s, term: 2, inbox: make(chan fact, inboxSize), over: ctx.Done(), streams: map[string]*hostStream{},
		window: 1, heard: map[string]uint64{}, met: map[string]bool{}, warm: true}
	s.leadership.Store(l)
	d := &drummerService{server: s}
	return &memoryServer{t: t, group: g, server: s, leadership: l, ctx: ctx, services: map[string]any{
		pb.Drummer_ServiceDesc.ServiceName: d,
		pb.Fleet_ServiceDesc.ServiceName:   &fleetService{drummer: d, server: s},
		pb.Peers_ServiceDesc.ServiceName:   s.peers.Service(),
	}}
}

// unary calls a method; what it answers can be sent.
func (w *memoryServer) unary(service string, method grpc.MethodDesc, data []byte) error {
	malformed := false
	answer, err := method.Handler(w.services[service], w.ctx, func(in any) error {
		err := proto.Unmarshal(data, in.(proto.Message))
		malformed = err != nil
		return err
	}, nil)
	if malformed {
		return nil // gRPC refuses that
	}
	if err == nil {
		_, err = proto.Marshal(answer.(proto.Message))
	}
	return err
}

func (w *memoryServer) watch(data []byte) error {
	in := &pb.WatchEventsRequest{}
	if proto.Unmarshal(data, in) != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(w.ctx)
	cancel() // after what there is
	err := w.services[pb.Fleet_ServiceDesc.ServiceName].(*fleetService).WatchEvents(in, &eventStream{quietStream{ctx: ctx}})
	if err == context.Canceled {
		return nil
	}
	return err
}

// attach lets an agent say something, after a Hello and twice or at once, and
// the leader take it in and decide.
func (w *memoryServer) attach(data []byte, greet bool) error {
	message := &pb.AgentMessage{}
	if proto.Unmarshal(data, message) != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	stream := &agentSide{quietStream{ctx: ctx}, make(chan *pb.AgentMessage, 3)}
	if greet {
		stream.messages <- &pb.AgentMessage{Body: &pb.AgentMessage_Hello{Hello: &pb.Hello{
			Host: &pb.NodeHostInfo{NodehostId: "D", RaftAddress: "d", Region: "r"}}}}
		stream.messages <- message
	}
	stream.messages <- message
	close(stream.messages)
	err := (&attachService{server: w.server}).Attach(stream)
	for len(w.leadership.inbox) > 0 {
		if _, err := w.leadership.writeFacts(w.ctx, w.leadership.drain(<-w.leadership.inbox)); err != nil {
			return err
		}
	}
	if err := w.leadership.schedule(w.ctx); err != nil {
		return err
	}
	return err
}

// check holds the replicas against each other.
func (w *memoryServer) check() {
	if err := w.group.state.Check(); err != nil {
		w.t.Fatal(err)
	}
	if db.DigestOf(w.group.state) != db.DigestOf(w.group.twin) {
		w.t.Fatal("two replicas have diverged")
	}
}
