// SPDX-License-Identifier: Apache-2.0

package nodehostapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/lni/dragonboat/v3"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

const (
	// defaultTimeout bounds a call whose client set no deadline.
	defaultTimeout = 5 * time.Second
	// maxTimeout bounds any call, so that a client which is gone holds
	// nothing for long.
	maxTimeout = time.Minute
	// MaxPayloadBytes bounds a command and a query.
	MaxPayloadBytes = 16 << 20
)

// Config is what a NodeHost API server is made from.
type Config struct {
	// Listener accepts the clients; the server closes it.
	Listener net.Listener
	// TLS is the server's side of mutual TLS; nil: plain text.
	TLS *tls.Config
	// Limits bound what callers can make the server hold.
	Limits rpc.Limits
	// Recovery recovers clusters that lost their quorum for good; an agent does. Nil:
	// that is not offered.
	Recovery Recovery
	// Logger has calls that are refused. May be nil.
	Logger *slog.Logger
}

// Server serves one NodeHost. It is safe for concurrent use.
type Server struct {
	service *service
	guard   *role.Guard
	grpc    *rpc.Server
	done    chan struct{}
}

// New starts to serve nodehost's clusters on the configured listener. The
// NodeHost must outlive the server: Close comes before NodeHost.Stop.
func New(nodehost *dragonboat.NodeHost, config Config) (*Server, error) {
	if nodehost == nil {
		return nil, errors.New("the NodeHost API needs a NodeHost")
	}
	if config.Listener == nil {
		return nil, errors.New("the NodeHost API needs a listener")
	}
	if err := config.Limits.Validate(); err != nil {
		return nil, fmt.Errorf("limits of the NodeHost API: %w", err)
	}
	guard := role.NewGuard(config.TLS, config.Logger)
	s := &Server{service: &service{nodehost: nodehost}, guard: guard, grpc: guard.NewServer(config.Limits), done: make(chan struct{})}
	pb.RegisterNodeHostAPIServer(s.grpc, s.service)
	if config.Recovery != nil {
		pb.RegisterRecoveryServer(s.grpc, &recoveryService{recovery: config.Recovery})
	}
	go func() {
		defer close(s.done)
		_ = s.grpc.Serve(config.Listener) // ends with Close, or with the listener
	}()
	return s, nil
}

// Local is the API for callers in this process: without a connection, roles or limits
// on calls. None of its calls may be open when NodeHost.Stop is called.
func (s *Server) Local() pb.NodeHostAPIServer { return s.service }

// Refusals are the calls that were refused since the start, because the caller's role
// may not make them, or not to that cluster.
func (s *Server) Refusals() []*pb.Refusals { return s.guard.Refusals() }

// Close ends all calls and returns when they have ended.
func (s *Server) Close() {
	s.grpc.Stop()
	<-s.done
}

type service struct {
	pb.UnimplementedNodeHostAPIServer
	nodehost *dragonboat.NodeHost
}

// bound gives ctx a deadline that Dragonboat can use.
func bound(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithTimeout(ctx, defaultTimeout)
	}
	if time.Until(deadline) > maxTimeout {
		return context.WithTimeout(ctx, maxTimeout)
	}
	return ctx, func() {}
}

// Read answers a query, linearizable unless stale is asked for.
func (s *service) Read(ctx context.Context, req *pb.ReadRequest) (*pb.ReadResponse, error) {
	if len(req.GetQuery()) > MaxPayloadBytes {
		return nil, badRequest(pb.RaftErrorCode_PAYLOAD_TOO_BIG,
			fmt.Sprintf("a query of %d bytes is over the limit of %d", len(req.GetQuery()), MaxPayloadBytes))
	}
	answer, err := s.read(ctx, req)
	if err != nil {
		return nil, failure{err, true}.status()
	}
	data, ok := answer.([]byte)
	if !ok && answer != nil {
		return nil, failure{fmt.Errorf("the state machine of cluster %d answered a remote query with %T, it must be []byte", req.GetClusterId(), answer), true}.status()
	}
	return &pb.ReadResponse{Data: data}, nil
}

func (s *service) read(ctx context.Context, req *pb.ReadRequest) (any, error) {
	if req.GetStale() {
		return s.nodehost.StaleRead(req.GetClusterId(), req.GetQuery())
	}
	ctx, cancel := bound(ctx)
	defer cancel()
	return s.nodehost.SyncRead(ctx, req.GetClusterId(), req.GetQuery())
}
