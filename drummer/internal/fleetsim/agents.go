// SPDX-License-Identifier: Apache-2.0

package fleetsim

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// redial is the pause before an agent looks for the leader again.
const redial = 200 * time.Millisecond

// Agents hold a stream for every host of a fleet to whichever Drummer server leads:
// a Hello, then heartbeats, and a Hello again when that is asked for. What else they
// are asked for is counted and not done.
type Agents struct {
	fleet   *Fleet
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
	a := &Agents{fleet: fleet, servers: servers, stop: stop}
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
	stream, err := pb.NewNodeHostsClient(conn).Attach(ctx)
	if err != nil || a.hello(stream, host) != nil {
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
			if message.GetPing() != nil {
				continue
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

func (a *Agents) serve(stream grpc.BidiStreamingClient[pb.AgentMessage, pb.ServerMessage], host int, beat time.Duration, incoming <-chan *pb.ServerMessage) (leader string) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	heartbeat := &pb.AgentMessage{Body: &pb.AgentMessage_Heartbeat{Heartbeat: &pb.Heartbeat{}}}
	for {
		var err error
		select {
		case <-ticker.C:
			err = stream.Send(heartbeat)
		case message, ok := <-incoming:
			switch {
			case !ok:
				return ""
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

func (a *Agents) hello(stream grpc.BidiStreamingClient[pb.AgentMessage, pb.ServerMessage], host int) error {
	a.hellos.Add(1)
	r := a.fleet.Report(host)
	return stream.Send(&pb.AgentMessage{Body: &pb.AgentMessage_Hello{Hello: &pb.Hello{Host: r.Host, Nodes: r.Nodes}}})
}
