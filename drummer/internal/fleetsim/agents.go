// SPDX-License-Identifier: Apache-2.0

package fleetsim

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// redial is the pause before an agent looks for the leader again.
const redial = 200 * time.Millisecond

// Agents hold a stream for every host of a fleet to whichever Drummer server leads:
// a Hello, then a heartbeat for each ping, and a Hello again when that is asked for. What
// else they are asked for is counted and not done.
type Agents struct {
	fleet   *Fleet
	reports [][]byte // by host: its Hello, encoded once it was sent
	servers []string
	rpc     rpc.Dialer

	attached atomic.Int64
	requests atomic.Int64
	hellos   atomic.Int64
	stop     context.CancelFunc
	done     sync.WaitGroup
}

// Attach starts the agents of all hosts. They find the leader among the servers'
// gRPC addresses.
func Attach(fleet *Fleet, servers []string) *Agents {
	ctx, stop := context.WithCancel(context.Background())
	a := &Agents{fleet: fleet, reports: make([][]byte, fleet.Hosts), servers: servers, stop: stop}
	for host := range fleet.Hosts {
		a.done.Go(func() { a.run(ctx, host) })
	}
	return a
}

// Attached is how many hosts have been welcomed by a leader and are attached still;
// Hellos how many full states were sent, and Requests how many requests came.
func (a *Agents) Attached() int { return int(a.attached.Load()) }

// Hellos is described at Attached.
func (a *Agents) Hellos() int { return int(a.hellos.Load()) }

// Requests is described at Attached.
func (a *Agents) Requests() int { return int(a.requests.Load()) }

// Close ends all streams.
func (a *Agents) Close() {
	a.stop()
	a.done.Wait()
}

func (a *Agents) run(ctx context.Context, host int) {
	conns := map[string]*grpc.ClientConn{}
	defer func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	}()
	address := a.servers[host%len(a.servers)]
	for turn := host; ctx.Err() == nil; turn++ {
		conn := conns[address]
		if conn == nil {
			var err error
			if conn, err = a.rpc.Connect(address); err != nil {
				return
			}
			conns[address] = conn
		}
		if address = a.attach(ctx, conn, host); address != "" {
			continue
		}
		address = a.servers[turn%len(a.servers)]
		select {
		case <-time.After(redial):
		case <-ctx.Done():
		}
	}
}

// attach is one stream of a host, until it ends. It returns where the leader is, if
// the server said so.
func (a *Agents) attach(ctx context.Context, conn *grpc.ClientConn, host int) (leader string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := pb.NewNodeHostsClient(conn).Attach(ctx, grpc.ForceCodecV2(encodedCodec{encoding.GetCodecV2("proto")}))
	if err != nil {
		return ""
	}
	if err := a.hello(stream, host); err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	first, err := stream.Recv()
	if err != nil {
		return ""
	}
	if first.GetWelcome() == nil {
		return first.GetRedirect().GetLeaderAddress()
	}
	a.attached.Add(1)
	defer a.attached.Add(-1)
	incoming := make(chan *pb.ServerMessage, 1)
	go func() {
		defer close(incoming)
		for {
			message, err := stream.Recv()
			if err != nil {
				return
			}
			select {
			case incoming <- message:
			case <-ctx.Done():
				return
			}
		}
	}()
	return a.serve(stream, host, time.Duration(first.GetWelcome().GetHeartbeatIntervalNs()), incoming)
}

// lateBeat is how many heartbeat intervals a ping may let a heartbeat wait.
const lateBeat = 1.5

func (a *Agents) serve(stream agentStream, host int, interval time.Duration, incoming <-chan *pb.ServerMessage) (leader string) {
	late := time.Duration(lateBeat * float64(interval))
	beat := time.NewTimer(late)
	defer beat.Stop()
	heartbeat := &pb.AgentMessage{Body: &pb.AgentMessage_Heartbeat{Heartbeat: &pb.Heartbeat{}}}
	for {
		var err error
		select {
		case <-beat.C:
			err = stream.Send(heartbeat)
			beat.Reset(late)
		case message, ok := <-incoming:
			switch {
			case !ok:
				return ""
			case message.GetPing() != nil:
				err = stream.Send(heartbeat)
				beat.Reset(late)
			case message.GetRedirect() != nil:
				return message.GetRedirect().GetLeaderAddress()
			case message.GetSendFullState() != nil:
				err = a.hello(stream, host)
			case message.GetRequest() != nil:
				a.requests.Add(1)
			}
		}
		if err != nil {
			return ""
		}
	}
}

type agentStream = grpc.BidiStreamingClient[pb.AgentMessage, pb.ServerMessage]

// hello sends a host's full state. A real NodeHost has a core of its own to encode it
// on; here it is encoded once.
func (a *Agents) hello(stream agentStream, host int) (err error) {
	a.hellos.Add(1)
	if a.reports[host] == nil {
		r := a.fleet.Report(host)
		if a.reports[host], err = proto.Marshal(&pb.AgentMessage{Body: &pb.AgentMessage_Hello{Hello: &pb.Hello{Host: r.Host, Nodes: r.Nodes}}}); err != nil {
			return err
		}
	}
	return stream.SendMsg(encoded(a.reports[host]))
}

// encoded is a message as it goes over the wire.
type encoded []byte

// encodedCodec is gRPC's own codec, but for what is encoded already.
type encodedCodec struct{ encoding.CodecV2 }

// Marshal implements encoding.CodecV2.
func (c encodedCodec) Marshal(v any) (mem.BufferSlice, error) {
	if e, ok := v.(encoded); ok {
		return mem.BufferSlice{mem.SliceBuffer(e)}, nil
	}
	return c.CodecV2.Marshal(v)
}
