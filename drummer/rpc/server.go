// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"crypto/tls"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

// Server is a gRPC server that bounds what its callers can make it hold. Its Stop
// returns when every handler has.
//
// Unary interceptors are not called for its methods; stream interceptors are, for
// unary methods too.
type Server struct {
	*grpc.Server
	limits Limits
	gate   *gate
}

// NewServer returns a server with its side of mutual TLS, nil for plain text, and with
// limits that are valid.
func NewServer(conf *tls.Config, limits Limits, extra ...grpc.ServerOption) *Server {
	limits.setDefaults()
	gate := newGate(limits)
	opts := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessageBytes),
		grpc.MaxSendMsgSize(maxMessageBytes),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.InitialWindowSize(streamWindow),
		grpc.InitialConnWindowSize(connWindow),
		grpc.ConnectionTimeout(10 * time.Second),
		grpc.WaitForHandlers(true),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: probeAfter, Timeout: probeTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: probeAfter / 2}),
		grpc.ChainStreamInterceptor(gate.intercept), // before those of extra
	}
	if conf != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(conf)))
	}
	return &Server{Server: grpc.NewServer(append(opts, extra...)...), limits: limits, gate: gate}
}

// RegisterService implements grpc.ServiceRegistrar.
func (s *Server) RegisterService(desc *grpc.ServiceDesc, impl any) {
	s.Server.RegisterService(unaryAsStream(desc), impl)
}

// Serve serves a listener's connections until the server is stopped.
func (s *Server) Serve(listener net.Listener) error {
	return s.Server.Serve(limitConnections(listener, s.limits.Connections))
}

// Refused is how many calls were refused so far because a limit was reached.
func (s *Server) Refused() uint64 { return s.gate.refusals() }
