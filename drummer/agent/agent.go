// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lni/dragonboat/v3"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftaddress"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 2 * time.Second
)

// Agent connects one NodeHost to Drummer. It is safe for concurrent use.
type Agent struct {
	nodehost *dragonboat.NodeHost
	config   Config
	log      *slog.Logger
	rand     *rand.Rand // of the run goroutine
	dialer   rpc.Dialer
	servers  []string // of the run goroutine: those configured and those heard of
	// refusals, of the run goroutine, has why each server was not attached to
	// the last time.
	refusals map[string]string

	probes     *probes
	inventory  *inventory
	executor   *executor
	deployment *deployment
	joins      *joins
	removals   *nodeSet // nodes that are being removed
	generation *generation

	recovering sync.Mutex // one Recover at a time

	attached atomic.Pointer[string]
	cancel   context.CancelFunc
	done     sync.WaitGroup
}

// New starts an agent for a running NodeHost. The NodeHost must outlive it:
// Close comes before NodeHost.Stop. Before it returns it removes what is left of
// nodes whose removal an earlier agent has begun and not finished.
func New(nodehost *dragonboat.NodeHost, config Config) (*Agent, error) {
	if nodehost == nil {
		return nil, errors.New("the agent needs a NodeHost")
	}
	if err := config.validate(); err != nil {
		return nil, err
	}
	if err := config.Listener.check(nodehost.NodeHostConfig()); err != nil {
		return nil, err
	}
	if err := raftaddress.Check(nodehost.RaftAddress()); err != nil {
		return nil, err
	}
	config.setDefaults()
	remembered, err := loadDeployment(nodehost.NodeHostConfig())
	if err != nil {
		return nil, err
	}
	joined, err := loadJoins(nodehost.NodeHostConfig())
	if err != nil {
		return nil, err
	}
	removals, err := loadNodeSet(nodehost.NodeHostConfig(), removalsDir)
	if err != nil {
		return nil, fmt.Errorf("which nodes are being removed: %w", err)
	}
	generation, err := loadGeneration(nodehost.NodeHostConfig())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &Agent{
		nodehost:   nodehost,
		config:     config,
		log:        config.Logger.With("nodehost", nodehost.RaftAddress()),
		rand:       config.Rand,
		dialer:     rpc.Dialer{Dial: config.Dial, TLS: role.Expect(role.Server, config.TLS)},
		deployment: remembered,
		joins:      joined,
		removals:   removals,
		generation: generation,
		servers:    slices.Clone(config.Drummers),
		refusals:   map[string]string{},
		cancel:     cancel,
	}
	a.probes = newProbes(ctx, nodehost, config.Listener.notify)
	a.inventory = newInventory(nodehost, config.Disk, config.Listener, a.probes)
	a.inventory.removals = removals
	a.inventory.observer = a.sawObserver
	a.executor = newExecutor(ctx, a)
	a.finishRemovals(ctx)
	a.done.Go(func() { a.run(ctx) })
	return a, nil
}

// Close ends the stream and every request under way, and returns when nothing
// of the agent runs any more. The NodeHost goes on.
func (a *Agent) Close() {
	a.cancel()
	a.done.Wait()
	a.executor.wait()
	a.probes.wait()
}

// Attached returns the address of the server that welcomed this agent, or ""
// while it looks for one.
func (a *Agent) Attached() string {
	if address := a.attached.Load(); address != nil {
		return *address
	}
	return ""
}

// run looks for the leader and attaches to it, again and again. It tries the
// servers in an order of its own, the one that it has just left last, and waits
// ever longer between two rounds.
func (a *Agent) run(ctx context.Context) {
	left := ""
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		for _, address := range a.order(left) {
			if end := a.follow(ctx, address); end.welcomed {
				left = end.server
				pause = firstPause
				break
			}
			if !a.sleep(ctx, firstPause) {
				return
			}
		}
		if !a.sleep(ctx, pause) {
			return
		}
	}
}

func (a *Agent) order(last string) []string {
	servers := slices.Clone(a.servers)
	a.rand.Shuffle(len(servers), func(i, j int) { servers[i], servers[j] = servers[j], servers[i] })
	if i := slices.Index(servers, last); i >= 0 {
		servers = append(slices.Delete(servers, i, i+1), last)
	}
	return servers
}

// learnServers adds servers that a Welcome names: one that was added later is
// found also when none of the configured ones is left.
func (a *Agent) learnServers(addresses []string) {
	const maxServers = 64
	for _, address := range addresses {
		if address != "" && len(a.servers) < maxServers && !slices.Contains(a.servers, address) {
			a.servers = append(a.servers, address)
		}
	}
}

// follow attaches to address and to where it is redirected, a few times at
// most. It returns how the last stream ended.
func (a *Agent) follow(ctx context.Context, address string) end {
	const maxRedirects = 3
	for redirects := 0; ; redirects++ {
		end := a.attach(ctx, address)
		end.server = address
		a.logEnd(end)
		if end.redirect == "" || end.redirect == address || redirects == maxRedirects {
			return end
		}
		address = end.redirect
	}
}

// logEnd logs how a stream ended, and each reason why a server is not attached
// to once. That it does not lead is none.
func (a *Agent) logEnd(end end) {
	if end.welcomed {
		clear(a.refusals)
		a.log.Info("detached from Drummer", "server", end.server, "reason", end.err)
		return
	}
	log, reason := a.log.Debug, fmt.Sprint(end.err)
	if !errors.Is(end.err, errNotLeader) && a.refusals[end.server] != reason {
		a.refusals[end.server] = reason
		log = a.log.Warn
	}
	log("not attached to Drummer", "server", end.server, "reason", end.err)
}

// sleep waits for about d, from half to one and a half of it, and returns
// false when the agent is closed.
func (a *Agent) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d/2 + time.Duration(a.rand.Int64N(int64(d))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
