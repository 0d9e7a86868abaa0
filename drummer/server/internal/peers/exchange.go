// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// service is what other servers ask of this one.
type service struct {
	pb.UnimplementedPeersServer
	peers *Peers
}

// Exchange takes in what another server knows and answers with what this one
// knows. Nothing is taken in of servers that are neither configured here nor members
// of DrummerDB.
func (s *service) Exchange(_ context.Context, list *pb.ServerList) (*pb.ServerList, error) {
	if err := s.peers.table.merge(list); err != nil {
		return nil, status.Errorf(codes.ResourceExhausted, "what was heard of other servers is not taken in: %v", err)
	}
	return s.peers.table.list(), nil
}

// Run exchanges with every other server, once a tick, until ctx ends.
func (p *Peers) Run(ctx context.Context) {
	dialer := rpc.Dialer{Dial: p.config.Dial, TLS: role.Expect(role.Server, p.config.TLS)}
	conns := map[string]*peerConn{}
	var calls sync.WaitGroup
	defer func() {
		calls.Wait()
		for _, conn := range conns {
			_ = conn.conn.Close()
		}
	}()
	ticker := time.NewTicker(p.config.Tick)
	defer ticker.Stop()
	for {
		p.table.beat(p.joinedAndCaughtUp(ctx))
		if p.known.wantsMembers() {
			calls.Go(func() { _, _ = p.membership(ctx) }) // tried again, while there is no quorum
		}
		for _, address := range p.table.others() {
			if conns[address] == nil {
				conn, err := dialer.Connect(address)
				if err != nil {
					p.config.Log.Warn("a server can't be connected to", "address", address, "error", err)
					continue
				}
				conns[address] = &peerConn{conn: conn, free: make(chan struct{}, 1)}
			}
			conns[address].exchange(ctx, p, &calls)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// peerConn is the connection to one other server. One exchange at a time is under
// way on it, so that a server which doesn't answer costs no more than that.
type peerConn struct {
	conn *grpc.ClientConn
	free chan struct{} // capacity 1: holds a token while an exchange is under way
}

func (c *peerConn) exchange(ctx context.Context, p *Peers, calls *sync.WaitGroup) {
	select {
	case c.free <- struct{}{}:
	default:
		return
	}
	calls.Go(func() {
		defer func() { <-c.free }()
		ctx, cancel := context.WithTimeout(ctx, aliveTicks*p.config.Tick)
		defer cancel()
		answer, err := pb.NewPeersClient(c.conn).Exchange(ctx, p.table.list())
		if err == nil {
			err = p.table.merge(answer)
		}
		if err != nil {
			p.config.Log.Debug("nothing was exchanged with a server", "address", c.conn.Target(), "error", err)
		}
	})
}
