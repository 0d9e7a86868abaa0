// SPDX-License-Identifier: Apache-2.0

package role_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testca"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// open answers every call.
type open struct{ pb.UnimplementedDrummerServer }

func (open) Status(context.Context, *pb.StatusRequest) (*pb.StatusResponse, error) {
	return &pb.StatusResponse{}, nil
}

// newer is a service that came after the table.
var newer = grpc.ServiceDesc{
	ServiceName: "drumbeat.v1.Newer",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Do", Handler: func(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		in := &pb.StatusRequest{}
		if err := decode(in); err != nil {
			return nil, err
		}
		return intercept(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/drumbeat.v1.Newer/Do"}, func(context.Context, any) (any, error) {
			return &pb.StatusResponse{}, nil
		})
	}}},
}

func serve(t *testing.T, network *testkit.Net, conf *tls.Config, log *slog.Logger) *role.Guard {
	guard := role.NewGuard(conf, log)
	server := guard.NewServer(rpc.Limits{})
	pb.RegisterDrummerServer(server, open{})
	server.RegisterService(&newer, struct{}{})
	listener := network.Listen("server")
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return guard
}

func call(t *testing.T, network *testkit.Net, next rpc.TLSFunc, method string) error {
	conn, err := rpc.Dialer{Dial: network.Dial, TLS: next}.Connect("server")
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return conn.Invoke(ctx, method, &pb.StatusRequest{}, &pb.StatusResponse{})
}

// A method that nobody has put into the table is for nobody, with TLS or without.
func TestMethodsThatAreMissingFromTheTableAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := testca.New(t)
		serverTLS, _ := ca.Configs(role.Identity{Role: role.Server}, "server")
		_, operator := ca.Configs(role.Identity{Role: role.Operator})
		for name, side := range map[string]struct {
			server *tls.Config
			client rpc.TLSFunc
		}{"TLS": {serverTLS, operator}, "plain text": {nil, nil}} {
			var network testkit.Net
			guard := serve(t, &network, side.server, nil)
			require.NoError(t, call(t, &network, side.client, pb.Drummer_Status_FullMethodName), name)
			err := call(t, &network, side.client, "/drumbeat.v1.Newer/Do")
			require.Equal(t, codes.PermissionDenied, status.Code(err), "%s: %v", name, err)
			require.Len(t, guard.Refusals(), 1, name)
			require.Equal(t, "other", guard.Refusals()[0].GetMethod(), name)
		}
	})
}

// A certificate of the CA without a role is told what to do about it, by servers and by
// clients that ask a server which has one.
func TestCertificatesWithoutARole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := testca.New(t)
		_, nobody := ca.Configs(role.Identity{Name: "from before"})
		_, operator := ca.Configs(role.Identity{Role: role.Operator})
		for _, id := range []role.Identity{{Role: role.Server}, {Name: "from before"}} {
			var network testkit.Net
			serverTLS, _ := ca.Configs(id, "server")
			guard := serve(t, &network, serverTLS, nil)
			err := call(t, &network, nobody, pb.Drummer_Status_FullMethodName)
			require.Equal(t, codes.PermissionDenied, status.Code(err), "%v", err)
			require.ErrorContains(t, err, `the certificate "from before" bears no role`)
			require.ErrorContains(t, err, "dragonboat-drummer-cmd certs")
			require.Equal(t, "none", guard.Refusals()[0].GetRole())
			err = call(t, &network, role.Expect(role.Server, operator), pb.Drummer_Status_FullMethodName)
			if id.Role == role.Server {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, "bears no role")
			}
		}
	})
}

// A server's side of TLS that asks for no certificate lets nobody in.
func TestCallersWithoutACertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := testca.New(t)
		serverTLS, _ := ca.Configs(role.Identity{Role: role.Server}, "server")
		serverTLS.ClientAuth = tls.NoClientCert
		_, operator := ca.Configs(role.Identity{Role: role.Operator})
		var network testkit.Net
		serve(t, &network, serverTLS, nil)
		err := call(t, &network, operator, pb.Drummer_Status_FullMethodName)
		require.ErrorContains(t, err, "shown no certificate")

		// A certificate that nobody has verified is none.
		serverTLS, _ = ca.Configs(role.Identity{Role: role.Server}, "server")
		serverTLS.ClientAuth = tls.RequireAnyClientCert
		serve(t, &network, serverTLS, nil)
		err = call(t, &network, operator, pb.Drummer_Status_FullMethodName)
		require.ErrorContains(t, err, "shown no certificate")
	})
}

// The bearer of another role's certificate can't pass itself off as a Drummer server.
func TestClientsExpectARole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := testca.New(t)
		_, operator := ca.Configs(role.Identity{Role: role.Operator})
		var network testkit.Net
		impostor, _ := ca.Configs(role.Identity{Name: "h7", Role: role.NodeHost, RaftAddress: "h7:1"}, "server")
		serve(t, &network, impostor, nil)
		require.NoError(t, call(t, &network, operator, pb.Drummer_Status_FullMethodName), "who does not look")
		err := call(t, &network, role.Expect(role.Server, operator), pb.Drummer_Status_FullMethodName)
		require.ErrorContains(t, err, "bears the role nodehost, and a server is expected here")
		require.NoError(t, call(t, &network, role.Expect(role.NodeHost, operator), pb.Drummer_Status_FullMethodName))
		require.Nil(t, role.Expect(role.Server, nil), "plain text stays plain text")
	})
}

func TestPlainTextIsSaid(t *testing.T) {
	var log strings.Builder
	role.NewGuard(nil, slog.New(slog.NewTextHandler(&log, nil)))
	require.Contains(t, log.String(), "there is no TLS, so there are no roles")
}

// A port that demands a role lets in nobody else, also where the certificates may
// change.
func TestPortsDemandARole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := testca.New(t)
		serverTLS, server := ca.Configs(role.Identity{Role: role.Server}, "server")
		_, application := ca.Configs(role.Identity{Name: "shop", Role: role.Application, Clusters: all(t)})
		changing := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return serverTLS, nil }}
		for name, conf := range map[string]*tls.Config{"fixed": serverTLS, "changing": changing} {
			shake := func(next rpc.TLSFunc) error {
				here, there := net.Pipe()
				defer func() { _, _ = here.Close(), there.Close() }()
				conf, clientConf := role.Demand(role.Server, conf), next().Clone()
				clientConf.ServerName = "server"
				go func() {
					client := tls.Client(there, clientConf)
					_ = client.Handshake()
					_, _ = client.Read(make([]byte, 1)) // the server's alert
				}()
				return tls.Server(here, conf).Handshake()
			}
			require.NoError(t, shake(server), name)
			require.ErrorContains(t, shake(application), `the certificate "shop" bears the role application, and a server is expected here`, name)
		}
		require.Nil(t, role.Demand(role.Server, nil))
	})
}

func all(t *testing.T) role.Clusters {
	clusters, err := role.ParseClusters("all")
	require.NoError(t, err)
	return clusters
}
