// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

var (
	errNodeHostClosed = errors.New("the NodeHost is closed")
	errSilence        = errors.New("the server fell silent")
	errNotLeader      = errors.New("the server does not lead")
)

// end is how a stream ended.
type end struct {
	server   string
	welcomed bool
	redirect string // where the server says the leader is
	err      error
}

// session is one stream to one server. Its fields belong to the goroutine of
// attach, which alone sends.
type session struct {
	agent     *Agent
	stream    grpc.BidiStreamingClient[pb.AgentMessage, pb.ServerMessage]
	sent      sent
	heartbeat time.Duration
	epoch     uint64 // of the server's DrummerDB
	sick      string // what the last Hello said
}

// attach opens a stream to the server at address and serves it until it ends.
func (a *Agent) attach(ctx context.Context, address string) end {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// What the Hello says may take long to read, and is read before anybody
	// waits for it. What changes meanwhile is in the first delta.
	s := &session{agent: a, heartbeat: defaultHeartbeat}
	hello, err := s.hello()
	if err != nil {
		return end{err: err}
	}
	conn, err := a.dialer.Connect(address)
	if err != nil {
		return end{err: err}
	}
	defer func() { _ = conn.Close() }()

	// The watchdog ends the stream, in whatever call it blocks, when the
	// server has said nothing for too long.
	watchdog := time.AfterFunc(openTimeout, func() { cancel(errSilence) })
	defer watchdog.Stop()

	stream, err := pb.NewNodeHostsClient(conn).Attach(ctx)
	if err != nil {
		return end{err: explain(ctx, err)}
	}
	s.stream = stream
	watchdog.Reset(answerTimeoutOf(hello))
	// A server that does not lead may have ended the stream before it had all of the
	// Hello; what it said before that is received all the same.
	if err := stream.Send(hello); err != nil && !errors.Is(err, io.EOF) {
		return end{err: explain(ctx, err)}
	}
	message, err := stream.Recv()
	if err != nil {
		return end{err: explain(ctx, err)}
	}
	switch body := message.GetBody().(type) {
	case *pb.ServerMessage_Redirect:
		return end{redirect: body.Redirect.GetLeaderAddress(), err: errNotLeader}
	case *pb.ServerMessage_Welcome:
		if err := s.welcome(body.Welcome); err != nil {
			return end{err: err}
		}
	default:
		return end{err: fmt.Errorf("the server answered a Hello with %T", body)}
	}
	a.attached.Store(&address)
	defer a.attached.Store(nil)
	a.log.Info("attached to Drummer", "server", address)
	incoming, ended := make(chan *pb.ServerMessage), make(chan error, 1)
	var receiver sync.WaitGroup
	receiver.Go(func() { ended <- s.receive(ctx, incoming, watchdog) })
	redirect, err := s.serve(incoming, ended)
	err = explain(ctx, err)
	cancel(nil)
	receiver.Wait()
	return end{welcomed: true, redirect: redirect, err: err}
}

// explain prefers the reason why a context was cancelled to gRPC's report that
// it was.
func explain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// answerTimeoutOf is how long the answer to a Hello may take.
func answerTimeoutOf(hello *pb.AgentMessage) time.Duration {
	return answerTimeout + time.Duration(proto.Size(hello))*time.Second/helloBytesPerSecond
}

// hello is the NodeHost's full state.
func (s *session) hello() (*pb.AgentMessage, error) {
	a := s.agent
	if !a.inventory.reload() {
		return nil, errNodeHostClosed
	}
	now := a.inventory.collect()
	if now == nil {
		return nil, errNodeHostClosed
	}
	own := a.deployment.get()
	s.sick = sickness(a.nodehost.NodeHostConfig())
	return &pb.AgentMessage{Body: &pb.AgentMessage_Hello{Hello: &pb.Hello{
		Host: &pb.NodeHostInfo{
			NodehostId:  a.nodehost.ID(),
			RaftAddress: a.nodehost.RaftAddress(),
			ApiAddress:  a.config.APIAddress,
			Region:      a.config.Region,
			Labels:      a.config.Labels,
			Weight:      a.config.Weight,
			Sick:        s.sick,
		},
		DeploymentId:        own.id,
		DeploymentEpoch:     own.epoch,
		DeploymentSilenceNs: int64(a.deployment.silence()),
		DiskGeneration:      a.generation.get(),
		Nodes:               s.sent.full(now, a.probes),
	}}}, nil
}

// resendHello sends the full state on a stream that stands.
func (s *session) resendHello() error {
	hello, err := s.hello()
	if err != nil {
		return err
	}
	return s.stream.Send(hello)
}

func (s *session) welcome(w *pb.Welcome) error {
	known, server := s.agent.deployment.get(), identity{w.GetDeploymentId(), w.GetDeploymentEpoch()}
	switch {
	case known.id != 0 && known.id != server.id:
		return fmt.Errorf("the server is of deployment %d, this NodeHost belongs to %d", server.id, known.id)
	case server.epoch < known.epoch:
		return fmt.Errorf("the server is of epoch %d of deployment %d, this NodeHost was adopted by the newer servers of epoch %d", server.epoch, server.id, known.epoch)
	case server != known:
		if err := s.agent.deployment.set(server); err != nil {
			return err
		}
		s.agent.log.Info("belongs to Drummer", "deployment", server.id, "epoch", server.epoch, "before", known.epoch)
	}
	if newest := w.GetDiskGeneration(); newest > s.agent.generation.get() {
		if err := s.agent.loseDisk(newest); err != nil {
			s.agent.log.Error("the disk is an old copy of itself", "error", err)
			return err
		}
	}
	s.epoch = server.epoch
	s.agent.deployment.hear()
	s.agent.learnServers(w.GetServers())
	if beat := time.Duration(w.GetHeartbeatIntervalNs()); beat > 0 {
		s.heartbeat = beat
	}
	return nil
}

// serve sends what changes and acts on what comes, until the stream ends or the
// server redirects.
func (s *session) serve(incoming <-chan *pb.ServerMessage, ended <-chan error) (redirect string, err error) {
	// A heartbeat answers each ping: those of all hosts then reach the leader within
	// a moment, and it wakes up for many at once. Without a ping one goes all the same.
	late := s.heartbeat + s.heartbeat/2
	beat := time.NewTimer(late)
	defer beat.Stop()
	settle := time.NewTimer(0) // the first delta goes at once
	defer settle.Stop()
	for {
		select {
		case message := <-incoming:
			switch body := message.GetBody().(type) {
			case *pb.ServerMessage_Ping:
				err = s.beat()
				beat.Reset(late)
			case *pb.ServerMessage_Redirect:
				return body.Redirect.GetLeaderAddress(), errors.New("the server leads no more")
			case *pb.ServerMessage_Request:
				s.agent.executor.submit(body.Request)
			case *pb.ServerMessage_SendFullState:
				err = s.resendHello()
			}
		case <-s.agent.config.Listener.wake:
			settle.Reset(settleTime)
		case <-settle.C:
			err = s.report()
		case <-beat.C:
			err = s.beat()
			beat.Reset(late)
		case err := <-ended:
			return "", err
		}
		if err != nil {
			return "", err
		}
	}
}

// beat sends what has changed, and a heartbeat.
func (s *session) beat() error {
	if sickness(s.agent.nodehost.NodeHostConfig()) != s.sick {
		if err := s.resendHello(); err != nil {
			return err
		}
	}
	if err := s.report(); err != nil {
		return err
	}
	s.agent.age()
	return s.stream.Send(&pb.AgentMessage{Body: &pb.AgentMessage_Heartbeat{Heartbeat: &pb.Heartbeat{DiskGeneration: s.agent.generation.get()}}})
}

// receive hands messages to serve until the stream ends. Each message holds the
// watchdog off.
func (s *session) receive(ctx context.Context, incoming chan<- *pb.ServerMessage, watchdog *time.Timer) error {
	silence := silentBeats * s.heartbeat
	watchdog.Reset(silence)
	for {
		message, err := s.stream.Recv()
		if err != nil {
			return err
		}
		watchdog.Reset(silence)
		s.agent.deployment.hear()
		select {
		case incoming <- message:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// report sends what changed, then the results: when an operation ends, the
// server knows already what it has led to.
func (s *session) report() error {
	results := s.agent.executor.takeResults(s.epoch)
	now := s.agent.inventory.collect()
	if now == nil {
		return errNodeHostClosed
	}
	if delta := s.sent.delta(now, s.agent.probes); delta != nil {
		if err := s.stream.Send(&pb.AgentMessage{Body: &pb.AgentMessage_Delta{Delta: delta}}); err != nil {
			return err
		}
	}
	for _, result := range results {
		if err := s.stream.Send(&pb.AgentMessage{Body: &pb.AgentMessage_Result{Result: result}}); err != nil {
			return err
		}
	}
	return nil
}
