// SPDX-License-Identifier: Apache-2.0

package role

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// Guard stands before all methods of a gRPC server. It is safe for concurrent use.
type Guard struct {
	tls      *tls.Config
	refusals *refusals
}

// NewGuard makes the guard of a server with its side of mutual TLS. With nil there
// is plain text and there are no roles: every method of the table is open to
// whoever reaches the port, which the log says. Log may be nil.
func NewGuard(conf *tls.Config, log *slog.Logger) *Guard {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if conf == nil {
		log.Warn("there is no TLS, so there are no roles: whoever reaches this process's gRPC port may do everything")
	}
	return &Guard{tls: conf, refusals: newRefusals(log)}
}

// NewServer returns a gRPC server that is guarded, with limits that are valid.
func (g *Guard) NewServer(limits rpc.Limits) *rpc.Server {
	opts := []grpc.ServerOption{grpc.ChainStreamInterceptor(g.intercept)} // rpc.Server asks it for unary methods, too
	if g.tls != nil {
		opts = append(opts, grpc.Creds(identifying{credentials.NewTLS(g.tls)}))
	}
	return rpc.NewServer(nil, limits, opts...)
}

// Refusals are the calls that were refused so far, by method and role.
func (g *Guard) Refusals() []*pb.Refusals { return g.refusals.list() }

// Refuse counts and logs a call that is refused for a reason which the table does not
// know, and returns the error for its caller.
func (g *Guard) Refuse(ctx context.Context, method string, why error) error {
	caller, _ := identify(ctx)
	return g.refuse(ctx, caller, method, why)
}

func (g *Guard) refuse(ctx context.Context, caller Identity, method string, why error) error {
	from := "unknown"
	if p, ok := peer.FromContext(ctx); ok {
		from = p.Addr.String()
	}
	g.refusals.add(caller, method, from, why)
	refusal := status.New(codes.PermissionDenied, "refused: "+why.Error())
	// A proposal that is refused here never reached Raft.
	if detailed, err := refusal.WithDetails(&pb.RaftError{Code: pb.RaftErrorCode_OTHER, NoEffect: true}); err == nil {
		refusal = detailed
	}
	return refusal.Err()
}

// admit finds the rule of a method, and who calls it. Without TLS the rule has nothing
// to check.
func (g *Guard) admit(ctx context.Context, method string) (Identity, rule, error) {
	rule, listed := table[method]
	if g.tls == nil {
		rule.check = nil
		if !listed {
			return Identity{}, rule, g.refuse(ctx, Identity{Role: None}, method, notListed(method))
		}
		return Identity{}, rule, nil
	}
	caller, err := identify(ctx)
	switch {
	case err != nil:
	case !listed:
		err = notListed(method)
	case !slices.Contains(rule.roles, caller.Role):
		err = fmt.Errorf("the certificate %q bears the role %s, and %s is for %v", caller.Name, caller.Role, method, rule.roles)
	}
	if err != nil {
		return caller, rule, g.refuse(ctx, caller, method, err)
	}
	return caller, rule, nil
}

func notListed(method string) error {
	return fmt.Errorf("no role may call %s", shorten(method))
}

func (g *Guard) intercept(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	caller, rule, err := g.admit(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	if rule.check != nil {
		inner := stream
		stream = &guardedStream{ServerStream: inner, check: func(message any) error {
			if err := rule.check(caller, message); err != nil {
				return g.refuse(inner.Context(), caller, info.FullMethod, err)
			}
			return nil
		}}
	}
	return handler(srv, stream)
}

// guardedStream checks each message that comes, also the one of a unary call.
type guardedStream struct {
	grpc.ServerStream
	check func(message any) error
}

// RecvMsg returns a message that may be looked at, or an error.
func (s *guardedStream) RecvMsg(message any) error {
	if err := s.ServerStream.RecvMsg(message); err != nil {
		return err
	}
	return s.check(message)
}

// From returns who made a call; false where there is no TLS.
func From(ctx context.Context) (Identity, bool) {
	id, err := identify(ctx)
	return id, err == nil
}

// identify returns who made a call, or why that is not known.
func identify(ctx context.Context) (Identity, error) {
	if p, ok := peer.FromContext(ctx); ok {
		if info, ok := p.AuthInfo.(identified); ok {
			return info.identity, info.err
		}
	}
	return Identity{Role: None}, errors.New("the caller has shown no certificate")
}

// identified is what is known of a connection's other side.
type identified struct {
	credentials.TLSInfo
	identity Identity
	err      error // why identity has no role
}

// Unwrap is what TLS itself knows, which package rpc tells callers apart by.
func (i identified) Unwrap() credentials.TLSInfo { return i.TLSInfo }

// identifying is TLS that reads the role once for each connection. A certificate
// without one is no reason to fail the handshake: the first call is answered with
// what is wrong.
type identifying struct {
	credentials.TransportCredentials
}

// ServerHandshake is that of TLS, and finds out who is there.
func (c identifying) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return conn, info, err
	}
	secured, ok := info.(credentials.TLSInfo)
	if !ok {
		return conn, info, fmt.Errorf("TLS says %T of a connection", info)
	}
	out := identified{TLSInfo: secured, identity: Identity{Role: None}, err: errors.New("the caller has shown no certificate")}
	if certs := secured.State.PeerCertificates; len(certs) > 0 && len(secured.State.VerifiedChains) > 0 {
		out.identity, out.err = Of(certs[0])
	}
	return conn, out, nil
}

// Clone implements credentials.TransportCredentials.
func (c identifying) Clone() credentials.TransportCredentials {
	return identifying{c.TransportCredentials.Clone()}
}
