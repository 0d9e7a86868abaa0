// SPDX-License-Identifier: Apache-2.0

package client

import (
	"sync"

	"google.golang.org/grpc"

	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// pool keeps one connection an address until it is closed.
type pool struct {
	dialer rpc.Dialer

	mu     sync.Mutex
	closed bool
	conns  map[string]*grpc.ClientConn
}

func newPool(dialer rpc.Dialer) *pool {
	return &pool{dialer: dialer, conns: map[string]*grpc.ClientConn{}}
}

func (p *pool) get(address string) (*grpc.ClientConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	if conn := p.conns[address]; conn != nil {
		return conn, nil
	}
	conn, err := p.dialer.Connect(address, grpc.WithStatsHandler(sentWatcher{}))
	if err != nil {
		return nil, err
	}
	p.conns[address] = conn
	return conn, nil
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, conn := range p.conns {
		_ = conn.Close()
	}
	clear(p.conns)
}
