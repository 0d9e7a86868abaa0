// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"testing"

	"github.com/lni/dragonboat/v3/statemachine"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// notedGroup keeps what was proposed, in order.
type notedGroup struct {
	*memoryGroup
	commands []*pb.Command
}

func (g *notedGroup) note(command []byte) {
	cmd := &pb.Command{}
	if err := proto.Unmarshal(command, cmd); err != nil {
		g.t.Fatal(err)
	}
	g.commands = append(g.commands, cmd)
}

func (g *notedGroup) propose(ctx context.Context, command []byte) (statemachine.Result, error) {
	g.note(command)
	return g.memoryGroup.propose(ctx, command)
}

func (g *notedGroup) proposeAll(ctx context.Context, commands [][]byte) ([]statemachine.Result, error) {
	for _, command := range commands {
		g.note(command)
	}
	return g.memoryGroup.proposeAll(ctx, commands)
}

// start has the first members of cluster 2 started, and returns the operations.
func (w *memoryServer) start() (operations []*pb.Operation) {
	require.NoError(w.t, w.leadership.schedule(w.ctx))
	for op := range w.group.state.Operations.Values() {
		operations = append(operations, op)
	}
	require.Len(w.t, operations, 3)
	return operations
}

func reportOf(host string, running bool) *pb.HostReport {
	return &pb.HostReport{Host: &pb.NodeHostInfo{NodehostId: host},
		Nodes: []*pb.NodeReport{{ClusterId: 2, NodeId: 1, Running: running, Role: pb.MemberRole_VOTER}}}
}

// What an operation has led to is in DrummerDB before its end is, though it was said
// after it; results end operations in the order in which they came.
func TestReportsAreWrittenBeforeResults(t *testing.T) {
	w := newMemoryServer(t, newBase(t))
	ops := w.start()
	g := &notedGroup{memoryGroup: w.group}
	w.server.group = g
	end := func(op *pb.Operation) fact {
		return fact{host: op.Request.NodehostId, stream: newHostStream("x"), result: &pb.RequestResult{OperationId: op.Id, Code: pb.ResultCode_DONE}}
	}
	host := ops[0].Request.NodehostId
	news, err := w.leadership.writeFacts(w.ctx, []fact{
		end(ops[2]), end(ops[0]),
		{host: host, stream: newHostStream("x"), report: reportOf(host, true)},
	})
	require.NoError(t, err)
	require.True(t, news)
	require.Len(t, g.commands, 3)
	require.NotNil(t, g.commands[0].GetReports(), "the first is %v", g.commands[0])
	require.Equal(t, ops[2].Id, g.commands[1].GetEndOperation().GetResult().GetOperationId())
	require.Equal(t, ops[0].Id, g.commands[2].GetEndOperation().GetResult().GetOperationId())
}

// Reports of one host take effect in the order in which they came, also when the last
// says what DrummerDB has had all the time.
func TestTheLastReportOfAHostHolds(t *testing.T) {
	for _, last := range []bool{true, false} {
		w := newMemoryServer(t, newBase(t))
		host := w.start()[0].Request.NodehostId
		say := func(running ...bool) {
			var facts []fact
			for _, is := range running {
				facts = append(facts, fact{host: host, stream: newHostStream("x"), report: reportOf(host, is)})
			}
			_, err := w.leadership.writeFacts(w.ctx, facts)
			require.NoError(t, err)
			require.Equal(t, running[len(running)-1], w.group.state.Clusters.At(2).Replica(1, host).Running)
		}
		say(last)
		say(!last, last)
		say(last, !last)
	}
}

// quietAgent says Hello and nothing more.
type quietAgent struct {
	quietStream
	hello *pb.AgentMessage
	sent  chan *pb.ServerMessage
}

func (s *quietAgent) Send(m *pb.ServerMessage) error {
	s.sent <- m
	return nil
}

func (s *quietAgent) Recv() (*pb.AgentMessage, error) {
	if hello := s.hello; hello != nil {
		s.hello = nil
		return hello, nil
	}
	<-s.ctx.Done()
	return nil, s.ctx.Err()
}

// A host that attaches is sent at once what it was asked for before, by this leader or
// another one, and nothing of what others were.
func TestAHostThatAttachesIsSentWhatIsInFlight(t *testing.T) {
	w := newMemoryServer(t, newBase(t))
	op := w.start()[0]
	host := w.group.state.Hosts.At(op.Request.NodehostId)
	ctx, cancel := context.WithCancel(w.ctx)
	stream := &quietAgent{quietStream{ctx: ctx}, &pb.AgentMessage{Body: &pb.AgentMessage_Hello{Hello: &pb.Hello{Host: host.Info}}},
		make(chan *pb.ServerMessage, 10)}
	ended := make(chan error)
	go func() { ended <- (&attachService{server: w.server}).Attach(stream) }()
	next := func() *pb.ServerMessage {
		select {
		case m := <-stream.sent:
			return m
		case <-w.ctx.Done():
			t.Fatal("nothing was sent")
			return nil
		}
	}
	require.NotNil(t, next().GetWelcome())
	request := next().GetRequest()
	require.Equal(t, op.Id, request.GetOperationId())
	require.Equal(t, w.leadership.term, request.GetLeaderTerm())
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.Empty(t, stream.sent)
}

// A leader that DrummerDB knows to be deposed ends, whatever it writes first; nothing
// of it takes effect, and nobody is sent what it decided.
func TestADeposedLeaderEndsAtItsFirstWrite(t *testing.T) {
	for name, write := range map[string]func(w *memoryServer) error{
		"a tick": func(w *memoryServer) error { return w.leadership.tick(w.ctx) },
		"a report": func(w *memoryServer) error {
			_, err := w.leadership.writeFacts(w.ctx, []fact{{host: "A", stream: newHostStream("x"), report: reportOf("A", true)}})
			return err
		},
		"a schedule": func(w *memoryServer) error { return w.leadership.schedule(w.ctx) },
	} {
		w := newMemoryServer(t, newBase(t))
		stream, _ := w.leadership.join("A", "a")
		newer, err := proto.Marshal(&pb.Command{Body: &pb.Command_TakeLeadership{TakeLeadership: &pb.TakeLeadership{Term: 3, ServerNodeId: 2}}})
		require.NoError(t, err)
		_, err = w.group.propose(w.ctx, newer)
		require.NoError(t, err)
		before := w.group.state
		require.ErrorIs(t, write(w), errDeposed, name)
		after := *w.group.state
		after.Index = before.Index
		require.Equal(t, db.DigestOf(before), db.DigestOf(&after), name)
		require.Empty(t, stream.take(), name)
	}
}

// laggingGroup is the group as a server sees it that has applied nothing for long: only
// what asks the others for the newest state finds it.
type laggingGroup struct {
	*memoryGroup
	applied *db.State
}

func (g *laggingGroup) staleRead(any) (any, error) { return g.applied, nil }

// A server that lags answers with what DrummerDB has, not with what it has itself.
func TestAServerThatLagsAnswersWithTheNewestState(t *testing.T) {
	w := newMemoryServer(t, newBase(t))
	lagging := &laggingGroup{w.group, w.group.state}
	w.start()
	w.server.group = lagging
	newest := w.group.state.Index
	require.Greater(t, newest, lagging.applied.Index)

	d := &drummerService{server: w.server}
	located, err := d.Locate(w.ctx, &pb.LocateRequest{ClusterIds: []uint64{2}})
	require.NoError(t, err)
	require.Equal(t, newest, located.GetDbIndex())
	require.True(t, located.GetClusters()[0].GetLaunched())
	operations, err := d.ListOperations(w.ctx, &pb.ListOperationsRequest{})
	require.NoError(t, err)
	require.Len(t, operations.GetOperations(), 3)
	hosts, err := d.ListNodeHosts(w.ctx, &pb.ListNodeHostsRequest{})
	require.NoError(t, err)
	require.Equal(t, newest, hosts.GetDbIndex())
	events, err := d.ListEvents(w.ctx, &pb.ListEventsRequest{})
	require.NoError(t, err)
	require.EqualValues(t, w.group.state.NextEventSequence-1, events.GetEvents()[len(events.GetEvents())-1].GetSequence())
}
