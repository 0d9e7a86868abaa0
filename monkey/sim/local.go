// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"fmt"
	"sync"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/simnet"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// localCalls are calls of a NodeHost's API from within its own process. They end
// with the process.
type localCalls struct {
	host  string
	api   pb.NodeHostAPIServer
	ended context.Context // cancelled at the instant at which the process ends
	end   context.CancelFunc

	mu     sync.Mutex
	open   sync.WaitGroup
	closed bool
}

func newLocalCalls(host string, api pb.NodeHostAPIServer) *localCalls {
	c := &localCalls{host: host, api: api}
	c.ended, c.end = context.WithCancel(context.Background())
	return c
}

// close returns when no call is open. There will be none any more.
func (c *localCalls) close() {
	c.end()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.open.Wait()
}

// Call implements world.LocalAPI.
func (c *localCalls) Call(ctx context.Context, call func(context.Context, pb.NodeHostAPIServer) error) error {
	c.mu.Lock()
	if c.closed || c.ended.Err() != nil {
		c.mu.Unlock()
		return fmt.Errorf("host %s: %w", c.host, world.ErrNoProcess)
	}
	c.open.Add(1)
	c.mu.Unlock()
	defer c.open.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ended, cancel)()
	var err error
	simnet.OnHost(c.host, func() { err = call(ctx, c.api) })
	if c.ended.Err() != nil {
		return fmt.Errorf("host %s: %w", c.host, world.ErrProcessEnded)
	}
	return err
}

// Local implements world.World.
func (w *World) Local(apiAddress string) (world.LocalAPI, bool) {
	p, err := w.nodeHost(world.HostOf(apiAddress))
	if err != nil || p.local == nil {
		return nil, false
	}
	return p.local, true
}
