// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

const (
	// defaultHeartbeat is used until Drummer's Welcome names its own.
	defaultHeartbeat = time.Second
	// silentBeats is how many heartbeat intervals without a word from the
	// server make the agent look for another leader.
	silentBeats = 4
	// openTimeout bounds the opening of a stream, and answerTimeout the wait
	// for the answer to a Hello, to which comes what its bytes need at
	// helloBytesPerSecond: nothing returns when they are sent.
	openTimeout         = 3 * time.Second
	answerTimeout       = 3 * time.Second
	helloBytesPerSecond = 1 << 20
	// settleTime is how long the agent gathers events before it sends them
	// as one delta.
	settleTime = 20 * time.Millisecond
	// maxParallel bounds the requests carried out at the same time.
	maxParallel = 32
	// maxQueued bounds the requests that wait.
	maxQueued = 65536
	// maxProbes bounds the reads that the agent makes at the same time.
	maxProbes = 16
)

// Application makes the state machines of one application. Exactly one of the
// three factories is set; it says which kind the application is.
type Application struct {
	Regular    statemachine.CreateStateMachineFunc
	Concurrent statemachine.CreateConcurrentStateMachineFunc
	OnDisk     statemachine.CreateOnDiskStateMachineFunc
	// RemoveData removes what an on-disk state machine of a node that will
	// never come back left on this host. When it returns nil a loss of power
	// must not bring that back: it syncs the directory that it removes from. It
	// is called for nodes that the application never had, too, and then does
	// nothing, and called again when it failed or the process ended meanwhile.
	// May be nil.
	RemoveData func(clusterID, nodeID uint64) error
}

func (a Application) validate(name string) error {
	set := 0
	for _, has := range []bool{a.Regular != nil, a.Concurrent != nil, a.OnDisk != nil} {
		if has {
			set++
		}
	}
	if set != 1 {
		return fmt.Errorf("application %q sets %d state machine factories, it must set one", name, set)
	}
	return nil
}

// Config is what an agent is made from.
type Config struct {
	// Drummers are the gRPC addresses of the Drummer servers, in any order.
	Drummers []string
	// APIAddress is where remote clients reach this NodeHost's API; it may be
	// empty.
	APIAddress string
	// Region and Labels describe to Drummer where the NodeHost is.
	Region string
	Labels map[string]string
	// Weight is how much this NodeHost can carry, relative to others; 0: 100.
	Weight uint32
	// Registry has the applications that this NodeHost can run, by name.
	Registry map[string]Application
	// Listener hears the NodeHost's events; it was given to the NodeHost's
	// configuration too: only by it the terms of leaders are known, without
	// which Drummer takes a cluster for one without a leader.
	Listener *Listener
	// Disk knows which replicas on the NodeHost's disk must not be started; it is
	// what diskcheck.Start returns with the NodeHost. Nil: nobody looks.
	Disk *diskcheck.Checker
	// Dial and TLS reach the Drummer servers; nil: TCP, plain text.
	Dial rpc.DialFunc
	TLS  rpc.TLSFunc
	// Rand orders servers and jitters waits. It is used by one goroutine at a
	// time. Nil: seeded by the operating system.
	Rand *rand.Rand
	// OnRequest is told of each request of Drummer that the agent carries out:
	// before, with no result, and after. It must not block. It may be nil.
	OnRequest func(req *pb.Request, result *pb.RequestResult)
	// Logger may be nil.
	Logger *slog.Logger
}

func (c *Config) validate() error {
	if len(c.Drummers) == 0 {
		return errors.New("the agent needs the address of at least one Drummer server")
	}
	if c.Listener == nil {
		return errors.New("the agent needs the Listener that the NodeHost's configuration has as RaftEventListener and SystemEventListener")
	}
	for name, application := range c.Registry {
		if err := application.validate(name); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) setDefaults() {
	if c.Rand == nil {
		c.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	if c.OnRequest == nil {
		c.OnRequest = func(*pb.Request, *pb.RequestResult) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}
