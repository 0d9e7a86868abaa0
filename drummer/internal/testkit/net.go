// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"fmt"
	"net"
	"sync"

	"google.golang.org/grpc/test/bufconn"
)

// Net has in-memory listeners by address. The zero value is ready.
type Net struct {
	mu        sync.Mutex
	listeners map[string]*bufconn.Listener
	cut       map[string]chan struct{} // closed when healed
}

// Listen opens an address, which may be any string.
func (n *Net) Listen(address string) net.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners == nil {
		n.listeners = map[string]*bufconn.Listener{}
	}
	listener := bufconn.Listen(1 << 20)
	n.listeners[address] = listener
	return listener
}

// Dial connects to an address; it is an rpc.DialFunc.
func (n *Net) Dial(ctx context.Context, address string) (net.Conn, error) {
	if err := n.passes(ctx, address); err != nil {
		return nil, err
	}
	n.mu.Lock()
	listener := n.listeners[address]
	n.mu.Unlock()
	if listener == nil {
		return nil, fmt.Errorf("nobody listens at %s", address)
	}
	conn, err := listener.DialContext(ctx)
	if err != nil {
		return nil, err
	}
	return &wire{Conn: conn, net: n, address: address, closed: make(chan struct{})}, nil
}

// Cut lets nothing through to and from an address any more. Who waits for it
// waits, as on a network that swallows packets.
func (n *Net) Cut(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cut == nil {
		n.cut = map[string]chan struct{}{}
	}
	if n.cut[address] == nil {
		n.cut[address] = make(chan struct{})
	}
}

// Heal ends a Cut; what waited goes through.
func (n *Net) Heal(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if healed := n.cut[address]; healed != nil {
		close(healed)
		delete(n.cut, address)
	}
}

// passes waits until the address is not cut.
func (n *Net) passes(ctx context.Context, address string) error {
	n.mu.Lock()
	healed := n.cut[address]
	n.mu.Unlock()
	if healed == nil {
		return nil
	}
	select {
	case <-healed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wire is the client's end of a connection.
type wire struct {
	net.Conn
	net     *Net
	address string
	once    sync.Once
	closed  chan struct{}
}

func (w *wire) pass() error {
	w.net.mu.Lock()
	healed := w.net.cut[w.address]
	w.net.mu.Unlock()
	if healed == nil {
		return nil
	}
	select {
	case <-healed:
		return nil
	case <-w.closed:
		return net.ErrClosed
	}
}

// Read hands on what came before a cut only after it was healed.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if blocked := w.pass(); blocked != nil {
		return 0, blocked
	}
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	if err := w.pass(); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}

func (w *wire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return w.Conn.Close()
}
