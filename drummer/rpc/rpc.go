// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

const (
	// maxMessageBytes bounds a gRPC message in either direction. A full
	// report of a NodeHost with 100,000 Raft nodes fits.
	maxMessageBytes = 32 << 20
	// connectTimeout bounds one attempt to connect, so that an address which
	// swallows packets does not hold its caller up.
	connectTimeout = 2 * time.Second
	// probeAfter and probeTimeout end a connection whose other side is gone
	// without a word: one that calls wait on and nothing was read from for
	// the first is probed, and closed when nothing comes for the second.
	probeAfter   = 10 * time.Second
	probeTimeout = 5 * time.Second
	// maxStreams bounds concurrent calls of one connection; a client waits for its
	// turn by itself.
	maxStreams = 1024
	// answersWindow and answersConnWindow are what a client lets come unread, in bytes,
	// of a call and of a connection. They are fixed, as a server's are: gRPC would find
	// its own by a ping, to be answered, after every message on a quiet connection, and
	// that is more than a heartbeat costs by itself.
	answersWindow     = 1 << 20
	answersConnWindow = 4 << 20
)

// DialFunc connects to a gRPC address. Nil stands for the operating system's
// TCP.
type DialFunc func(ctx context.Context, address string) (net.Conn, error)

// TLSFunc returns the client's side of mutual TLS for the next connection, which may be
// another one than for the last. A nil TLSFunc stands for plain text.
type TLSFunc func() *tls.Config

// StaticTLS always returns the same configuration; nil: plain text.
func StaticTLS(conf *tls.Config) TLSFunc {
	if conf == nil {
		return nil
	}
	return func() *tls.Config { return conf }
}

// Dialer makes client connections. The zero value dials TCP without TLS.
type Dialer struct {
	Dial DialFunc
	TLS  TLSFunc
}

// Connect returns a connection to address that connects in the background and
// reconnects with a back-off of at most a second. The caller closes it.
func (d Dialer) Connect(address string, extra ...grpc.DialOption) (*grpc.ClientConn, error) {
	opts := []grpc.DialOption{
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay:  50 * time.Millisecond,
				Multiplier: 1.6,
				Jitter:     0.2,
				MaxDelay:   time.Second,
			},
			MinConnectTimeout: connectTimeout,
		}),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(maxMessageBytes),
			grpc.MaxCallSendMsgSize(maxMessageBytes),
		),
		grpc.WithInitialWindowSize(answersWindow),
		grpc.WithInitialConnWindowSize(answersConnWindow),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: probeAfter, Timeout: probeTimeout}),
		grpc.WithTransportCredentials(clientCredentials(d.TLS)),
		grpc.WithStatsHandler(yielding{}),
	}
	if d.Dial != nil {
		opts = append(opts, grpc.WithContextDialer(d.Dial))
	}
	// passthrough leaves the address to the dialer: names may be known to the
	// simulated network only. The target is a URL, the address just text.
	return grpc.NewClient("passthrough:///"+url.PathEscape(address), append(opts, extra...)...)
}

func clientCredentials(next TLSFunc) credentials.TransportCredentials {
	if next == nil {
		return insecure.NewCredentials()
	}
	return clientTLS{next}
}

// clientTLS is TLS whose configuration is asked for anew for each connection.
type clientTLS struct{ next TLSFunc }

// ClientHandshake implements credentials.TransportCredentials.
func (c clientTLS) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return credentials.NewTLS(c.next()).ClientHandshake(ctx, authority, raw)
}

// ServerHandshake implements credentials.TransportCredentials.
func (clientTLS) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("the client's side of TLS can't serve")
}

// Info implements credentials.TransportCredentials.
func (clientTLS) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

// Clone implements credentials.TransportCredentials.
func (c clientTLS) Clone() credentials.TransportCredentials { return c }

// OverrideServerName implements credentials.TransportCredentials. The name is the
// address's.
func (clientTLS) OverrideServerName(string) error { return nil }
