// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"net"
	"sync"
	"sync/atomic"
)

// limitConnections returns a listener that has so many connections open at one time,
// and closes those that come on top at once.
func limitConnections(listener net.Listener, most int) net.Listener {
	return &limitedListener{Listener: listener, open: make(chan struct{}, most)}
}

type limitedListener struct {
	net.Listener
	open    chan struct{} // holds a token for each open connection
	numbers atomic.Uint64
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.open <- struct{}{}:
			return &limitedConn{Conn: conn, number: l.numbers.Add(1), open: l.open}, nil
		default:
			_ = conn.Close()
		}
	}
}

type limitedConn struct {
	net.Conn
	number uint64
	open   chan struct{}
	once   sync.Once
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	c.once.Do(func() { <-c.open })
	return c.Conn.Close()
}

// RemoteAddr tells connections from the same address apart.
func (c *limitedConn) RemoteAddr() net.Addr { return numberedAddr{c.Conn.RemoteAddr(), c.number} }

type numberedAddr struct {
	net.Addr
	number uint64
}
