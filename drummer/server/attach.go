// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

const (
	// helloTimeout bounds the wait for a stream's first message, which may be
	// large.
	helloTimeout = time.Minute
)

type attachService struct {
	pb.UnimplementedNodeHostsServer
	server *Server
}

type agentStream = grpc.BidiStreamingServer[pb.AgentMessage, pb.ServerMessage]

// received is what the stream's reader got.
type received struct {
	message *pb.AgentMessage
	err     error
}

// Attach serves one agent. The handler sends and forwards; a reader of its own
// receives, and ends with the stream.
func (a *attachService) Attach(stream agentStream) error {
	if a.server.leadership.Load() == nil {
		return a.redirect(stream) // the Hello, which may be large, is the leader's to read
	}
	hello, err := awaitHello(stream)
	if err != nil {
		return err
	}
	l := a.server.leadership.Load()
	if l == nil {
		return a.redirect(stream)
	}
	state, err := a.server.localState()
	if err != nil {
		return status.Errorf(codes.Unavailable, "DrummerDB can't be read: %v", err)
	}
	if err := a.server.fenceHost(stream.Context(), state, hello); err != nil {
		return err
	}
	if err := a.checkAddress(stream.Context(), state, hello.GetHost()); err != nil {
		return err
	}
	host := hello.GetHost()
	way, owner := l.join(host.GetNodehostId(), host.GetRaftAddress())
	if way == nil {
		return a.refuseAddress(stream.Context(), host, owner)
	}
	defer l.leave(host.GetNodehostId(), way)
	disk, err := a.checkDisk(stream.Context(), l, state, hello)
	if err != nil {
		return err
	}
	welcome := &pb.Welcome{
		DeploymentId:        state.DeploymentID,
		DeploymentEpoch:     state.DeploymentEpoch,
		HeartbeatIntervalNs: int64(a.server.config.Tick),
		Server:              a.server.peers.Own(),
		Servers:             a.server.peers.Addresses(),
		DiskGeneration:      disk,
	}
	if err := stream.Send(&pb.ServerMessage{Body: &pb.ServerMessage_Welcome{Welcome: welcome}}); err != nil {
		return err
	}
	incoming := make(chan received)
	go receive(stream, way, incoming)
	return a.serve(stream, l, way, hello, incoming)
}

// receive notes heartbeats, which are nearly all that comes, and hands over what else
// does.
func receive(stream agentStream, way *hostStream, incoming chan<- received) {
	for {
		message, err := stream.Recv()
		if err == nil {
			way.hear(message.GetHeartbeat())
		}
		if message.GetHeartbeat() != nil {
			continue
		}
		select {
		case incoming <- received{message, err}:
		case <-stream.Context().Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func awaitHello(stream agentStream) (*pb.Hello, error) {
	timer := time.NewTimer(helloTimeout)
	defer timer.Stop()
	first := make(chan received, 1)
	go func() {
		message, err := stream.Recv()
		first <- received{message, err}
	}()
	select {
	case in := <-first:
		if in.err != nil {
			return nil, in.err
		}
		hello := in.message.GetHello()
		if hello == nil {
			return nil, status.Error(codes.InvalidArgument, "the first message of an agent must be a Hello")
		}
		return hello, checkHello(hello)
	case <-timer.C:
		return nil, status.Errorf(codes.DeadlineExceeded, "no Hello came within %v", helloTimeout)
	case <-stream.Context().Done():
		return nil, stream.Context().Err()
	}
}

// checkHello refuses a host whose reports DrummerDB would leave out.
func checkHello(hello *pb.Hello) error {
	if err := db.ValidateHost(hello.GetHost()); err != nil {
		return status.Errorf(codes.InvalidArgument, "the Hello can't be accepted: %v", err)
	}
	return nil
}

// checkAddress refuses a host that comes with the NodeHost ID of another RaftAddress: a
// disk does not move, and the role of a nodehost is for its RaftAddress alone.
func (a *attachService) checkAddress(ctx context.Context, state *db.State, host *pb.NodeHostInfo) error {
	known := state.Hosts.At(host.GetNodehostId())
	if known == nil || known.Address() == host.GetRaftAddress() {
		return nil
	}
	return a.refuseAddress(ctx, host, known.Address())
}

func (a *attachService) refuseAddress(ctx context.Context, host *pb.NodeHostInfo, owner string) error {
	return a.server.guard.Refuse(ctx, pb.NodeHosts_Attach_FullMethodName,
		fmt.Errorf("NodeHost %s lives at %s, and the caller speaks as that at %s", host.GetNodehostId(), owner, host.GetRaftAddress()))
}

func (a *attachService) redirect(stream agentStream) error {
	return stream.Send(&pb.ServerMessage{Body: &pb.ServerMessage_Redirect{
		Redirect: &pb.Redirect{LeaderAddress: a.server.leaderAddress()}}})
}

// serve is a welcomed stream, until it breaks, another one replaces it, the
// host falls silent or the leadership is over.
func (a *attachService) serve(stream agentStream, l *leadership, way *hostStream, hello *pb.Hello, incoming <-chan received) error {
	host := hello.GetHost().GetNodehostId()
	if !l.deliver(stream, factOf(way, hello.GetHost(), &pb.AgentMessage{Body: &pb.AgentMessage_Hello{Hello: hello}})) {
		return a.redirect(stream)
	}
	l.pushTo(host)

	// A host that is silent for its time to live is dead to DrummerDB; its
	// stream is closed so that it comes back with a Hello.
	ttl := a.server.timeToLive()
	silence := time.NewTimer(ttl)
	defer silence.Stop()
	for {
		select {
		case in := <-incoming:
			if in.err != nil {
				return in.err
			}
			if again := in.message.GetHello(); again != nil {
				if err := checkAgain(again, hello); err != nil {
					return err
				}
			}
			if !l.deliver(stream, factOf(way, hello.GetHost(), in.message)) {
				return a.redirect(stream)
			}
		case <-way.wake:
			for _, message := range way.take() {
				if err := stream.Send(message); err != nil {
					return err
				}
			}
		case <-way.closed:
			return status.Errorf(codes.Aborted, "NodeHost %s has attached again", host)
		case <-silence.C:
			if ago := way.silence(); ago < ttl {
				silence.Reset(ttl - ago)
				continue
			}
			return status.Errorf(codes.DeadlineExceeded, "NodeHost %s was silent for %v", host, ttl)
		case <-l.over:
			return a.redirect(stream)
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

// checkAgain is checkHello for a further Hello on the stream of a host.
func checkAgain(again, first *pb.Hello) error {
	is, was := again.GetHost(), first.GetHost()
	if is.GetNodehostId() != was.GetNodehostId() || is.GetRaftAddress() != was.GetRaftAddress() {
		return status.Errorf(codes.InvalidArgument, "the stream of NodeHost %s at %s brought a Hello of %s at %s",
			was.GetNodehostId(), was.GetRaftAddress(), is.GetNodehostId(), is.GetRaftAddress())
	}
	return checkHello(again)
}

// deliver puts a fact into the leadership's inbox; false when the leadership is over.
func (l *leadership) deliver(stream agentStream, f fact) bool {
	select {
	case l.inbox <- f:
		return true
	case <-l.over:
		return false
	case <-stream.Context().Done():
		return true // the caller sees it next
	}
}

func factOf(stream *hostStream, host *pb.NodeHostInfo, message *pb.AgentMessage) fact {
	f := fact{host: host.GetNodehostId(), stream: stream}
	switch body := message.GetBody().(type) {
	case *pb.AgentMessage_Hello:
		f.report = &pb.HostReport{Host: body.Hello.GetHost(), Full: true, Nodes: body.Hello.GetNodes()}
	case *pb.AgentMessage_Delta:
		f.report = &pb.HostReport{Host: &pb.NodeHostInfo{NodehostId: f.host}, Nodes: body.Delta.GetChanged(), Gone: body.Delta.GetGone()}
	case *pb.AgentMessage_Result:
		f.result = body.Result
	}
	return f
}
