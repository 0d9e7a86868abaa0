// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"
)

// unaryAsStream is a service whose unary methods are streams of one message, which is
// the same on the wire. gRPC reads the message of a unary call before anybody hears of
// the call; what the handler of a stream does not ask for, a caller can't send, but for
// a window of 64 KiB.
func unaryAsStream(desc *grpc.ServiceDesc) *grpc.ServiceDesc {
	out := *desc
	out.Methods = nil
	out.Streams = append([]grpc.StreamDesc(nil), desc.Streams...)
	for _, method := range desc.Methods {
		// Of a stream gRPC asks the stream interceptors, if it is one at least one way.
		out.Streams = append(out.Streams, grpc.StreamDesc{StreamName: method.MethodName, ServerStreams: true,
			Handler: func(impl any, ss grpc.ServerStream) error {
				answer, err := method.Handler(impl, ss.Context(), ss.RecvMsg, nil)
				if err != nil {
					return err
				}
				return ss.SendMsg(answer)
			}})
	}
	return &out
}

// intercept is the stream interceptor before all others: it lets a call in, and puts
// its messages behind the gate.
func (g *gate) intercept(impl any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	name := callerOf(ss.Context())
	usage, err := g.enter(name)
	if err != nil {
		return err
	}
	defer g.leave(name, usage)
	c := &call{ServerStream: ss, gate: g, peer: usage, single: !info.IsClientStream}
	defer c.end()
	return handler(impl, c)
}

// call is a stream behind the gate. It has room for one large message that was
// received, which the handler works on until it asks for the next one, and for one
// that is being sent. Small ones take none: a ping never waits.
type call struct {
	grpc.ServerStream
	gate   *gate
	peer   *usage
	single bool // one message is received at most

	mu       sync.Mutex
	received int64 // bytes held for what was received
	ended    bool
}

// RecvMsg implements grpc.ServerStream.
func (c *call) RecvMsg(message any) error {
	c.forget()
	return c.receive(message)
}

// SendMsg makes room for a large message until gRPC has taken it over.
func (c *call) SendMsg(message any) error {
	if c.single {
		c.forget() // of the request: the answer is all that is left of the call
	}
	m, ok := message.(proto.Message)
	if !ok {
		return c.ServerStream.SendMsg(message)
	}
	size := min(int64(proto.Size(m)), maxMessageBytes) // more is refused by gRPC
	if size <= smallMessage {
		return c.ServerStream.SendMsg(message)
	}
	if err := c.gate.acquire(c.Context(), c.peer, size); err != nil {
		return err
	}
	defer c.gate.release(c.peer, size)
	return c.ServerStream.SendMsg(message)
}

// hold takes room for a message that is about to be received.
func (c *call) hold(bytes int64) error {
	if err := c.gate.acquire(c.Context(), c.peer, bytes); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		c.gate.release(c.peer, bytes)
		return context.Canceled
	}
	c.received = bytes
	return nil
}

// forget gives the room of what was received back.
func (c *call) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gate.release(c.peer, c.received)
	c.received = 0
}

func (c *call) end() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.forget()
}

// callerOf names who makes a call: a certificate, and without TLS a connection.
func callerOf(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return "a caller"
	}
	if info, ok := tlsOf(p.AuthInfo); ok && len(info.State.PeerCertificates) > 0 {
		cert := info.State.PeerCertificates[0]
		return "the certificate " + cert.Subject.CommonName + " (serial " + cert.SerialNumber.Text(16) + ")"
	}
	if numbered, ok := p.Addr.(numberedAddr); ok {
		return fmt.Sprintf("connection %d from %s", numbered.number, p.Addr)
	}
	return "the connection from " + p.Addr.String()
}

// tlsOf returns what TLS knows of a connection's other side, also where somebody has
// found out more.
func tlsOf(info credentials.AuthInfo) (credentials.TLSInfo, bool) {
	if wrapped, ok := info.(interface{ Unwrap() credentials.TLSInfo }); ok {
		return wrapped.Unwrap(), true
	}
	plain, ok := info.(credentials.TLSInfo)
	return plain, ok
}
