// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// Program is a whole program that runs on the hosts of NodeHosts, in place of the
// one that comes along. It makes its NodeHost with ProgramEnvironment.NodeHost soon,
// and returns soon after ctx has ended, with all that it started stopped.
type Program func(ctx context.Context, e ProgramEnvironment) error

// ProgramEnvironment is what a program has of its host and of the deployment.
type ProgramEnvironment struct {
	Host  world.Host
	Hosts []world.Host // all of the deployment
	// Clusters are the initial members of the clusters of a deployment without
	// Drummers, by ClusterID: NodeID → RaftAddress.
	Clusters map[uint64]map[uint64]string
	FS       vfs.FS // the host's disk
	DataDir  string // on it, for the program's own files
	Version  int    // of the program's build
	Rand     *rand.Rand
	Logger   *slog.Logger
	// Listen accepts streams to an address of the host, Dial connects to one of any.
	Listen func(address string) (net.Listener, error)
	Dial   func(ctx context.Context, address string) (net.Conn, error)
	// NodeHost makes the program's NodeHost: what the configuration leaves out is
	// the world's, and its disk, transport and log storage always are. It is called
	// once. The program stops what it returns.
	NodeHost func(config.NodeHostConfig) (*dragonboat.NodeHost, error)
}

// program is the process of a Program.
type program struct {
	cancel context.CancelFunc
	made   chan *dragonboat.NodeHost // gets the NodeHost
	ended  chan struct{}             // closed when the program has returned
	err    error                     // what it returned; read after ended
}

// bootWithin is how long a program may take to make its NodeHost.
const bootWithin = 30 * time.Second

// startProgram starts the program of a host, and returns when it has made its
// NodeHost.
func (w *World) startProgram(h *host) (process, error) {
	fs := w.mount(h)
	if err := fs.MkdirAll(raftDir, 0o755); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &program{cancel: cancel, made: make(chan *dragonboat.NodeHost, 1), ended: make(chan struct{})}
	n := &nodeHost{eventListener: w.listen(h), static: w.cfg.Static, program: p}
	e := w.programEnvironment(h, fs, n)
	go func() {
		p.err = w.cfg.Program(ctx, e)
		close(p.ended)
		// A program whose host was taken from it may return before ctx ends, as its
		// listener fails; it is not the host's process any more then.
		if h.running() == process(n) {
			w.ended(h.Name, p.err)
		}
	}()
	timer := time.NewTimer(bootWithin)
	defer timer.Stop()
	select {
	case n.dragonboat = <-p.made:
		return n, nil
	case <-p.ended:
		cancel()
		return nil, fmt.Errorf("the program ended before it had made its NodeHost: %w", errorOf(p.err))
	case <-timer.C:
		cancel()
		<-p.ended
		return nil, fmt.Errorf("the program has not made its NodeHost within %s", bootWithin)
	}
}

func (w *World) programEnvironment(h *host, fs vfs.FS, n *nodeHost) ProgramEnvironment {
	clusters := map[uint64]map[uint64]string{}
	for _, c := range w.cfg.Static {
		clusters[c.ID] = maps.Clone(c.Voters)
	}
	return ProgramEnvironment{
		Host: h.Host, Hosts: w.Hosts(), Clusters: clusters, FS: fs, DataDir: dataDir, Version: h.version,
		Rand: w.rand(h, machineChance), Logger: w.cfg.Logger(h.Name),
		Listen: func(address string) (net.Listener, error) { return w.net.Listen(h.Name, address) },
		Dial:   w.net.Dialer(h.Name),
		NodeHost: func(c config.NodeHostConfig) (*dragonboat.NodeHost, error) {
			return n.make(w.complete(c, h, fs, n.eventListener))
		},
	}
}

// complete fills in a NodeHost's configuration.
func (w *World) complete(c config.NodeHostConfig, h *host, fs vfs.FS, l *eventListener) config.NodeHostConfig {
	of := w.nodeHostConfig(h, fs)
	c.NodeHostDir, c.RaftAddress = of.NodeHostDir, of.RaftAddress
	if c.RTTMillisecond == 0 {
		c.RTTMillisecond = of.RTTMillisecond
	}
	c.Expert.FS, c.Expert.TransportFactory = of.Expert.FS, of.Expert.TransportFactory
	c.Expert.LogDB, c.Expert.Engine = of.Expert.LogDB, of.Expert.Engine
	c.RaftEventListener = both{l, c.RaftEventListener}
	return c
}

// both tells two listeners; the second may be nil.
type both struct {
	world *eventListener
	user  raftio.IRaftEventListener
}

// LeaderUpdated implements raftio.IRaftEventListener.
func (b both) LeaderUpdated(info raftio.LeaderInfo) {
	b.world.LeaderUpdated(info)
	if b.user != nil {
		b.user.LeaderUpdated(info)
	}
}

// make makes the NodeHost of a program.
func (p *nodeHost) make(c config.NodeHostConfig) (*dragonboat.NodeHost, error) {
	n, err := dragonboat.NewNodeHost(c)
	if err != nil {
		return nil, err
	}
	select {
	case p.program.made <- n:
		return n, nil
	default:
		n.Stop()
		return nil, errors.New("the program has made its NodeHost already")
	}
}

// stop has the program end.
func (p *program) stop() {
	p.cancel()
	<-p.ended
}

// ended notes that a program ended by itself.
func (w *World) ended(host string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := fmt.Sprintf("the program of host %s ended by itself", host)
	if err != nil {
		text += ": " + err.Error()
	}
	w.gone = append(w.gone, text)
}

// errorOf is an error, also where a program returned none.
func errorOf(err error) error {
	if err == nil {
		return errors.New("it returned without an error")
	}
	return err
}
