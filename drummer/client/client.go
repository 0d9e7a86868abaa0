// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

const (
	// defaultTryTimeout bounds the wait for one server before the next is
	// tried.
	defaultTryTimeout = 3 * time.Second
	// defaultMaxAge is how old a cached location may get.
	defaultMaxAge = 10 * time.Second
	// roundPause is waited after all servers were tried in vain.
	roundPause = 250 * time.Millisecond
)

// Config is what a Client is made from.
type Config struct {
	// Drummers are the gRPC addresses of the Drummer servers, in any order.
	// Servers that were added since are learnt of by asking for locations.
	Drummers []string
	// NodeHostsOnly says that there are no Drummer servers: NodeHosts can be asked,
	// and what asks Drummer fails.
	NodeHostsOnly bool
	// Dial and TLS reach Drummer servers and NodeHosts; nil: TCP, plain text.
	Dial rpc.DialFunc
	TLS  rpc.TLSFunc
	// TryTimeout bounds one try; 0: three seconds. The context of a call
	// bounds all tries together.
	TryTimeout time.Duration
	// MaxAge is how old a cached location may get; 0: ten seconds.
	MaxAge time.Duration
	// Rand picks servers. Nil: seeded by the operating system.
	Rand *rand.Rand
}

// Client talks to a Drummer deployment. It is safe for concurrent use.
type Client struct {
	config    Config
	drummers  *pool
	nodehosts *pool
	cache     cache
	// lookups are those that are not answered from the cache.
	lookups lookups

	mu    sync.Mutex // guards what follows
	rand  *rand.Rand
	first string // the server that answered last
	// heard are the servers that were last told of, beside those configured.
	heard []string
}

// ErrClosed is returned by calls on a closed Client.
var ErrClosed = errors.New("the client is closed")

// New returns a client. It connects when it is first used.
func New(config Config) (*Client, error) {
	if len(config.Drummers) == 0 && !config.NodeHostsOnly {
		return nil, errors.New("the client needs the address of at least one Drummer server")
	}
	if config.TryTimeout == 0 {
		config.TryTimeout = defaultTryTimeout
	}
	if config.MaxAge == 0 {
		config.MaxAge = defaultMaxAge
	}
	if config.Rand == nil {
		config.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	c := &Client{
		config:    config,
		drummers:  newPool(rpc.Dialer{Dial: config.Dial, TLS: role.Expect(role.Server, config.TLS)}),
		nodehosts: newPool(rpc.Dialer{Dial: config.Dial, TLS: role.Expect(role.NodeHost, config.TLS)}),
		cache:     cache{maxAge: config.MaxAge},
		rand:      config.Rand,
	}
	c.lookups.call = func(ctx context.Context, ids []uint64) (*pb.LocateResponse, error) {
		return c.LocatePage(ctx, &pb.LocateRequest{ClusterIds: ids})
	}
	return c, nil
}

// Close closes all connections; calls under way fail.
func (c *Client) Close() {
	c.drummers.close()
	c.nodehosts.close()
}

// order returns the servers in the order to try them: the one that answered
// last, then the others shuffled.
func (c *Client) order() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	servers := slices.Concat(c.config.Drummers, c.heard)
	c.rand.Shuffle(len(servers), func(i, j int) { servers[i], servers[j] = servers[j], servers[i] })
	for i, server := range servers {
		if server == c.first {
			servers[0], servers[i] = servers[i], servers[0]
		}
	}
	return servers
}

// maxServers bounds the servers that are tried beside those configured.
const maxServers = 64

// hear remembers where Drummer says that its servers are: those that were added
// later are found when none of the configured ones is left.
func (c *Client) hear(addresses []string) {
	if len(addresses) == 0 {
		return // an older server does not say
	}
	var heard []string
	for _, address := range addresses {
		if address != "" && len(heard) < maxServers && !slices.Contains(c.config.Drummers, address) && !slices.Contains(heard, address) {
			heard = append(heard, address)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = heard
}

// avoid has a server that failed tried like any other, not first.
func (c *Client) avoid(server string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == server {
		c.first = ""
	}
}

func (c *Client) answered(server string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.first = server
}

// onDrummer makes a method of service Drummer one that call can make.
func onDrummer[In, Out any](method func(pb.DrummerClient, context.Context, In, ...grpc.CallOption) (Out, error)) func(context.Context, *grpc.ClientConn, In) (Out, error) {
	return func(ctx context.Context, conn *grpc.ClientConn, in In) (Out, error) {
		return method(pb.NewDrummerClient(conn), ctx, in)
	}
}

// onFleet makes a method of service Fleet one that call can make.
func onFleet[In, Out any](method func(pb.FleetClient, context.Context, In, ...grpc.CallOption) (Out, error)) func(context.Context, *grpc.ClientConn, In) (Out, error) {
	return func(ctx context.Context, conn *grpc.ClientConn, in In) (Out, error) {
		return method(pb.NewFleetClient(conn), ctx, in)
	}
}

// call makes one unary call to Drummer through whichever server answers, until
// ctx ends. All calls may be repeated safely: definitions are idempotent and
// everything else names what it wants to hold.
func call[In, Out any](ctx context.Context, c *Client, in In,
	method func(context.Context, *grpc.ClientConn, In) (Out, error)) (Out, error) {
	var out Out
	var last error
	for {
		for _, server := range c.order() {
			conn, err := c.drummers.get(server)
			if err != nil {
				return out, err
			}
			try, cancel := context.WithTimeout(ctx, c.config.TryTimeout)
			out, err = method(try, conn, in)
			cancel()
			if err == nil {
				c.answered(server)
				return out, nil
			}
			if !worthAnother(err) {
				return out, err
			}
			if last == nil || !over(ctx) {
				// What ends with ctx says less than the error before it.
				last = fmt.Errorf("server %s: %w", server, err)
			}
			if over(ctx) {
				break
			}
		}
		select {
		case <-ctx.Done():
			return out, fmt.Errorf("no Drummer server answered in time, the last error was: %w", last)
		case <-time.After(roundPause):
		}
	}
}

// over reports whether a context's time has come, also when its timer has not yet
// fired.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// worthAnother reports whether another server, or the same one later, may do
// better.
func worthAnother(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Aborted, codes.ResourceExhausted:
		return true
	default:
		return false
	}
}
