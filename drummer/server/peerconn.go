// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"sync"

	"google.golang.org/grpc"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// peerConn is the connection to one other server. One exchange at a time is under
// way on it, so that a server which doesn't answer costs no more than that.
type peerConn struct {
	conn *grpc.ClientConn
	free chan struct{} // capacity 1: holds a token while an exchange is under way
}

func (c *peerConn) exchange(ctx context.Context, s *Server, calls *sync.WaitGroup) {
	select {
	case c.free <- struct{}{}:
	default:
		return
	}
	calls.Go(func() {
		defer func() { <-c.free }()
		ctx, cancel := context.WithTimeout(ctx, aliveTicks*s.config.Tick)
		defer cancel()
		answer, err := pb.NewPeersClient(c.conn).Exchange(ctx, s.peers.list())
		if err == nil {
			err = s.peers.merge(answer)
		}
		if err != nil {
			s.log.Debug("nothing was exchanged with a server", "address", c.conn.Target(), "error", err)
		}
	})
}
