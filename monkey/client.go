// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	"github.com/drumbeat-raft/drumbeat/monkey/application"
)

// Client is a client of your own: what it sends goes over the simulated network,
// which delays, loses and cuts it off. One Client has one operation open at a time.
type Client[Op, Answer any] interface {
	// Do carries out an operation, on the Raft cluster with this ID. An error means
	// that it may have taken effect, now or later; one that is ErrNoEffect that it
	// certainly has none, and never will.
	Do(ctx context.Context, cluster uint64, op Op) (Answer, error)
	Close() error
}

// ErrNoEffect is wrapped by errors of operations that certainly had no effect.
var ErrNoEffect = errors.New("the operation had no effect")

// ClientEnv is what a client has of its place in the network.
type ClientEnv struct {
	Hosts    []string // names of the NodeHosts' hosts
	Drummers []string // addresses of the Drummer servers, for package drummer/client
	Rand     *rand.Rand

	dial func(ctx context.Context, address string) (net.Conn, error)
}

// Dial connects to an address of a host. network is not looked at: it has the form
// that http.Transport takes.
func (e ClientEnv) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return e.dial(ctx, address)
}

// clients are the clients of a workload, each made when it is needed first. It is
// safe for concurrent use.
type clients[Op, Answer any] struct {
	connect func(ClientEnv) (Client[Op, Answer], error)
	place   application.Place

	mu   sync.Mutex
	open map[int64]Client[Op, Answer]
}

// of returns the client with that number.
func (c *clients[Op, Answer]) of(number int64) (Client[Op, Answer], error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if x := c.open[number]; x != nil {
		return x, nil
	}
	env := ClientEnv{Rand: rand.New(rand.NewPCG(c.place.Seed, uint64(number)<<8|1)), dial: c.place.Dial}
	env.Hosts, env.Drummers = split(c.place.Hosts)
	x, err := c.connect(env)
	if err != nil {
		return nil, fmt.Errorf("Workload.Connect: %w", err)
	}
	if c.open == nil {
		c.open = map[int64]Client[Op, Answer]{}
	}
	c.open[number] = x
	return x, nil
}

// close closes all clients.
func (c *clients[Op, Answer]) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for _, x := range c.open {
		err = errors.Join(err, x.Close())
	}
	clear(c.open)
	return err
}

// outcomeOf is what the error of a client says of its operation.
func outcomeOf(err error) history.Outcome {
	if errors.Is(err, ErrNoEffect) {
		return history.Fail
	}
	return history.Outcome(client.OutcomeOf(err).String())
}
