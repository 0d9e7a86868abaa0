// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
	"github.com/drumbeat-raft/drumbeat/drummer/nodehostapi"
	"github.com/drumbeat-raft/drumbeat/monkey/latency"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/memlog"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/simdisk"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// The directories on a NodeHost's disk.
const (
	raftDir = "/raft"
	dataDir = "/data" // of on-disk state machines
)

// nodeHost is the process of a NodeHost: Dragonboat, the agent and the API.
type nodeHost struct {
	*eventListener
	dragonboat *dragonboat.NodeHost
	agent      *agent.Agent // nil without Drummers
	api        *nodehostapi.Server
	local      *localCalls // nil without an API
	static     []StaticCluster
	stopping   sync.Once
	program    *program // nil: the program that comes along
	disk       *diskcheck.Checker
	requests   requests
}

// nodeHostConfig is what Dragonboat gets in this world: little memory, few
// goroutines, and the host's own disk and network.
func (w *World) nodeHostConfig(h *host, fs vfs.FS) config.NodeHostConfig {
	logdb := config.GetTinyMemLogDBConfig()
	logdb.Shards = 1
	conf := config.NodeHostConfig{
		NodeHostDir:    raftDir,
		RTTMillisecond: w.tickOf(h),
		RaftAddress:    h.RaftAddress,
		Expert: config.ExpertConfig{
			FS:               forDragonboat(fs, h.Name),
			TransportFactory: w.transport(h),
			LogDB:            logdb,
			Engine:           w.engine(h),
		},
	}
	var factory config.LogDBFactory
	if w.cfg.Deployment.LogDB == scenarios.LogInMemory {
		factory = memlog.Factory{}
	}
	conf.Expert.LogDBFactory = w.safety.Logs(h.Name, naming(h), h.fs.Detached, factory)
	return conf
}

// Workers of Dragonboat. One that is woken again after it has seen everything looks
// at all of its nodes, which is most of what it does where messages arrive in
// bursts: so it has few of them. Two are an interleaving that should happen.
const (
	nodesOfWorker = 10
	minWorkers    = 2
	maxWorkers    = 16
)

// engine says how many workers of each kind Dragonboat has on a host.
func (w *World) engine(h *host) config.EngineConfig {
	workers := uint64(minWorkers)
	if h.Role == world.NodeHost {
		workers = uint64(min(max(w.cfg.Replicas/w.cfg.Deployment.NodeHosts/nodesOfWorker, minWorkers), maxWorkers))
	}
	return config.EngineConfig{ExecShards: workers, CommitShards: 2, ApplyShards: workers, SnapshotShards: 2, CloseShards: 2}
}

func (w *World) startNodeHost(h *host) (process, error) {
	fs := w.mount(h)
	if err := fs.MkdirAll(raftDir, 0o755); err != nil {
		return nil, err
	}
	p := &nodeHost{eventListener: w.listen(h), static: w.cfg.Static}
	listener := agent.NewListener(p.eventListener, p.eventListener)
	nhc := w.nodeHostConfig(h, fs)
	nhc.RaftEventListener = listener
	nhc.SystemEventListener = listener
	var err error
	var disk *diskcheck.Checker
	if p.dragonboat, disk, err = diskcheck.Start(nhc, w.cfg.Logger(h.Name)); err != nil {
		return nil, fmt.Errorf("start Dragonboat's NodeHost: %w", err)
	}
	p.disk = disk
	if err := p.serve(w, h, fs, listener, disk); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// serve starts the API and the agent.
func (p *nodeHost) serve(w *World, h *host, fs vfs.FS, listener *agent.Listener, disk *diskcheck.Checker) error {
	l, err := w.net.Listen(h.Name, h.APIAddress)
	if err != nil {
		return err
	}
	if p.api, err = nodehostapi.New(p.dragonboat, nodehostapi.Config{Listener: l}); err != nil {
		return err
	}
	p.local = newLocalCalls(h.Name, p.api.Local())
	registry := w.cfg.Applications(Environment{Host: h.Host, FS: fs, Dir: dataDir, Version: h.version, Rand: w.rand(h, machineChance), Busy: w.net.Busy(h.Name)})
	if p.static != nil {
		return p.startStatic(registry, disk)
	}
	p.agent, err = agent.New(p.dragonboat, agent.Config{
		Drummers:   w.drummerAPIs(),
		APIAddress: h.APIAddress,
		Region:     h.Region,
		Labels:     h.Labels,
		Registry:   registry,
		Listener:   listener,
		Disk:       disk,
		Dial:       w.net.Dialer(h.Name),
		Rand:       w.rand(h, agentChance),
		OnRequest:  p.told,
		Logger:     w.cfg.Logger(h.Name),
	})
	return err
}

// detach implements process.
func (p *nodeHost) detach() {
	p.eventListener.detach()
	if p.local != nil {
		p.local.end()
	}
}

func (p *nodeHost) stop() {
	p.stopping.Do(func() {
		if p.program != nil {
			p.program.stop()
			return
		}
		if p.agent != nil {
			p.agent.Close()
		}
		if p.api != nil {
			p.local.close()
			p.api.Close()
		}
		p.dragonboat.Stop()
	})
}

// nodes lists the Raft nodes that run, as they see themselves.
func (p *nodeHost) nodes() []world.Node {
	info := p.dragonboat.GetNodeHostInfo(dragonboat.NodeHostInfoOption{SkipLogInfo: true})
	if info == nil {
		return nil
	}
	nodes := make([]world.Node, 0, len(info.ClusterInfoList))
	for _, c := range info.ClusterInfoList {
		_, voter := c.Nodes[c.NodeID]
		nodes = append(nodes, world.Node{
			ClusterID:  c.ClusterID,
			NodeID:     c.NodeID,
			IsLeader:   c.IsLeader,
			IsObserver: c.IsObserver && !voter,
			IsWitness:  p.witness(c.ClusterID, c.NodeID),
			Ready:      !c.Pending,
			ConfigID:   c.ConfigChangeIndex,
			Voters:     c.Nodes,
		})
	}
	return nodes
}

func (p *nodeHost) membership(ctx context.Context, clusterID uint64) (world.Membership, error) {
	m, err := p.dragonboat.SyncGetClusterMembership(ctx, clusterID)
	if err != nil {
		return world.Membership{}, fmt.Errorf("the membership of cluster %d can't be read: %w", clusterID, err)
	}
	removed := slices.AppendSeq([]uint64{}, maps.Keys(m.Removed))
	slices.Sort(removed)
	return world.Membership{ConfigID: m.ConfigChangeID, Voters: m.Nodes, Observers: m.Observers, Witnesses: m.Witnesses, Removed: removed}, nil
}

// The uses of random sources of a process, each with its own.
const (
	agentChance uint64 = iota
	diskChance
	machineChance
)

// rand makes a random source of a host's present process.
func (w *World) rand(h *host, use uint64) *rand.Rand {
	role := uint64(1)
	if h.Role == world.Drummer {
		role = 2
	}
	return rand.New(rand.NewPCG(w.cfg.Seed, role<<60|use<<56|uint64(h.number)<<32|h.boots))
}

// mount mounts a host's disk for its present process.
func (w *World) mount(h *host) *simdisk.Mount {
	if h.fs != nil {
		h.slowed += h.fs.Slowed()
	}
	fs := h.disk.Mount()
	h.fs = fs
	fs.OnCreate(w.filesMade(h))
	fs.SetTimes(w.times(h))
	return fs
}

// times are those of a host's disk, for its present process.
func (w *World) times(h *host) simdisk.Times {
	disk := w.cfg.Deployment.Disk
	return simdisk.Times{
		Sync: latency.Of(disk.Sync), Write: latency.Of(disk.Write), SlowLeast: h.slowLeast, SlowMost: h.slowMost,
		Rand: w.rand(h, diskChance), Pass: w.net.Busy(h.Name),
	}
}
