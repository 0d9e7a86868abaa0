// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/goutils/vfs"

	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/raftsafety"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/raftstate"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/simdisk"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/simnet"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Config is what a simulated world is made from.
type Config struct {
	Deployment scenarios.Deployment
	Drummer    scenarios.Drummer
	RTT        time.Duration // Dragonboat's tick
	Seed       uint64
	// ElectionRTT and HeartbeatRTT are those of the Raft clusters that Drummer looks
	// after, if they have CheckQuorum; 0: not known.
	ElectionRTT, HeartbeatRTT int
	// Static are the Raft clusters of a deployment without Drummers; nil in any
	// other.
	Static []StaticCluster
	// Replicas is about how many will run, on all NodeHosts together.
	Replicas int
	// Applications makes the state machines that a NodeHost offers.
	Applications func(Environment) map[string]agent.Application
	// Later are the hosts that Start does not boot.
	Later []string
	// Program, unless nil, runs on the hosts of NodeHosts.
	Program Program
	// Logger makes the log of a host.
	Logger func(host string) *slog.Logger
}

// Environment is what the state machines of one process run on.
type Environment struct {
	Host world.Host
	FS   vfs.FS // the host's disk
	Dir  string // on it, where they may keep data
	// Version is that of the build they are of.
	Version int
	Rand    *rand.Rand
	// Busy keeps what the host does from others for a time; see
	// simnet.Network.Busy.
	Busy func(time.Duration)
}

// World implements world.World.
type World struct {
	cfg      Config
	net      *simnet.Network
	hosts    []*host // Drummers first
	byName   map[string]*host
	leaders  leaderLog
	safety   *raftsafety.Watcher
	moments  moments
	made     time.Time
	stopping sync.WaitGroup // processes that have ended, and stop in the background

	mu   sync.Mutex
	torn *rand.Rand // seeds what each power loss leaves
	// accepted lists the stale membership changes that were not refused.
	accepted []string
	// operators end those who ask for stale membership changes.
	operators []context.CancelFunc
	gone      []string // programs that ended by themselves
}

// New makes a world whose hosts are all down.
func New(cfg Config) *World {
	w := &World{
		cfg:    cfg,
		byName: map[string]*host{},
		made:   time.Now(),
		torn:   rand.New(rand.NewPCG(cfg.Seed, 0x746f726e)),
	}
	w.safety = raftsafety.New(w.made, w.about)
	w.net = simnet.New(simnet.Config{Seed: cfg.Seed, Latency: w.latency, Slot: cfg.Deployment.Network.Slot.D(), Watch: w.watch, WatchSent: w.watchSent, WatchChunk: w.watchChunk})
	for i := range cfg.Deployment.Drummers {
		w.add(world.Drummer, i+1, "")
	}
	for i := range cfg.Deployment.NodeHosts {
		w.add(world.NodeHost, i+1, cfg.Deployment.Region(i+1)).Labels = labels(&cfg.Deployment, i+1)
	}
	return w
}

func (w *World) add(role world.Role, number int, region string) *host {
	name := fmt.Sprintf("%s-%d", role, number)
	h := &host{
		Host:   world.Host{Name: name, Role: role, Region: region, RaftAddress: name + ":1", APIAddress: name + ":2"},
		number: number,
		disk:   simdisk.New(raftDir, dataDir),
	}
	if role == world.NodeHost {
		h.version = cmp.Or(w.cfg.Deployment.Version, 1)
	}
	w.hosts = append(w.hosts, h)
	w.byName[name] = h
	return h
}

// labels are those of NodeHost number host.
func labels(d *scenarios.Deployment, host int) map[string]string {
	labels := map[string]string{}
	if rack := d.Rack(host); rack != "" {
		labels[world.RackLabel] = rack
	}
	for _, name := range d.LabelsOf(host) {
		labels[name] = world.LabelValue
	}
	return labels
}

// Capabilities implements world.World.
func (*World) Capabilities() []scenarios.Capability { return Capabilities() }

// Capabilities lists what any simulated world can do.
func Capabilities() []scenarios.Capability {
	return []scenarios.Capability{
		scenarios.CanKill, scenarios.CanPowerLoss, scenarios.CanWipe,
		scenarios.CanCut, scenarios.CanLose, scenarios.CanDuplicate, scenarios.CanDelay,
		scenarios.CanWatch, scenarios.CanReorder, scenarios.CanCorrupt, scenarios.CanLimit, scenarios.CanHold, scenarios.CanReset,
		scenarios.CanShutDown, scenarios.CanFailDisk, scenarios.CanRot, scenarios.CanSlowDisk, scenarios.CanRestoreDisk, scenarios.CanPause, scenarios.CanSetTicks, scenarios.CanUpgrade, scenarios.CanAsk, scenarios.CanOperate, scenarios.CanStaleChange,
	}
}

// Hosts lists the hosts, Drummers first.
func (w *World) Hosts() []world.Host {
	hosts := make([]world.Host, len(w.hosts))
	for i, h := range w.hosts {
		hosts[i] = h.Host
	}
	return hosts
}

// Start boots every host that does not join later.
func (w *World) Start(context.Context) error {
	w.net.Up(world.Clients)
	for _, h := range w.hosts {
		if slices.Contains(w.cfg.Later, h.Name) {
			continue
		}
		if err := w.boot(h); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends every process in good order, the NodeHosts before the Drummers.
func (w *World) Stop() {
	w.mu.Lock()
	for _, stop := range w.operators {
		stop()
	}
	w.mu.Unlock()
	for _, role := range []world.Role{world.NodeHost, world.Drummer} {
		var stopping sync.WaitGroup
		for _, h := range w.hosts {
			h.mu.Lock()
			if p := h.process; p != nil && h.Role == role {
				h.process = nil
				p.detach()
				h.goOn()
				stopping.Go(func() { h.stop(p) })
			}
			h.mu.Unlock()
		}
		stopping.Wait()
	}
	w.stopping.Wait()
	w.net.Close()
}

// Running implements world.Processes.
func (w *World) Running(name string) bool {
	h := w.byName[name]
	return h != nil && h.running() != nil
}

// Kill implements world.Processes.
func (w *World) Kill(name string) (world.Effect, error) {
	h, err := w.host(name)
	if err != nil {
		return world.Effect{}, err
	}
	return w.end(h, true, func(d *simdisk.Disk) world.Effect {
		d.Kill()
		return world.Effect{}
	}), nil
}

// Wipe implements world.Processes.
func (w *World) Wipe(name string) (world.Effect, error) {
	h, err := w.host(name)
	if err != nil {
		return world.Effect{}, err
	}
	effect := w.end(h, false, func(d *simdisk.Disk) world.Effect {
		w.safety.Lost(name)
		return lost(d.Wipe())
	})
	h.wiped.Store(true)
	if h.Role == world.Drummer && w.drummersWiped() {
		w.safety.Begun(world.DrummerDB)
	}
	return effect, nil
}

// drummersWiped reports whether all Drummer servers have lost their disks, and none runs.
func (w *World) drummersWiped() bool {
	for _, h := range w.hosts {
		if h.Role == world.Drummer && (h.running() != nil || !h.wiped.Load()) {
			return false
		}
	}
	return true
}

func lost(e simdisk.Effect) world.Effect {
	return world.Effect{BytesLost: e.BytesLost, FilesLost: e.FilesLost}
}

// Boot implements world.Processes.
func (w *World) Boot(name string) error {
	h, err := w.host(name)
	if err != nil {
		return err
	}
	return w.boot(h)
}

// DialContext implements world.World.
func (w *World) DialContext(ctx context.Context, address string) (net.Conn, error) {
	return w.net.Dialer(world.Clients)(ctx, address)
}

// Inspect implements world.World.
func (w *World) Inspect(_ context.Context, name string) (world.Inspection, error) {
	p, err := w.nodeHost(name)
	if err != nil {
		return world.Inspection{}, err
	}
	return world.Inspection{Host: name, NodeHostID: p.dragonboat.ID(), Nodes: p.nodes()}, nil
}

// Logs implements world.World.
func (w *World) Logs(name string) ([]world.RaftLog, error) {
	p, err := w.nodeHost(name)
	if err != nil {
		return nil, err
	}
	info := p.dragonboat.GetNodeHostInfo(dragonboat.DefaultNodeHostInfoOption)
	if info == nil {
		return nil, fmt.Errorf("the NodeHost on host %s is closed", name)
	}
	logs := make([]world.RaftLog, 0, len(info.LogInfo))
	for _, l := range info.LogInfo {
		logs = append(logs, world.RaftLog{ClusterID: l.ClusterID, NodeID: l.NodeID})
	}
	slices.SortFunc(logs, func(a, b world.RaftLog) int {
		return cmp.Or(cmp.Compare(a.ClusterID, b.ClusterID), cmp.Compare(a.NodeID, b.NodeID))
	})
	return logs, nil
}

// Membership implements world.World.
func (w *World) Membership(ctx context.Context, name string, clusterID uint64) (world.Membership, error) {
	p, err := w.nodeHost(name)
	if err != nil {
		return world.Membership{}, err
	}
	return p.membership(ctx, clusterID)
}

// DrummerLeader implements world.World.
func (w *World) DrummerLeader() (string, bool) {
	for _, h := range w.hosts {
		if p, ok := h.running().(*drummerServer); ok {
			if _, leads := p.server.Leading(); leads {
				return h.Name, true
			}
		}
	}
	return "", false
}

// ClusterLeader implements world.World.
func (w *World) ClusterLeader(clusterID uint64) (string, bool) {
	return w.find(func(n world.Node) bool { return n.ClusterID == clusterID && n.IsLeader })
}

// JoiningHost implements world.World.
func (w *World) JoiningHost() (string, bool) {
	return w.find(func(n world.Node) bool { return n.IsObserver })
}

// find names the first host that runs a node of a kind.
func (w *World) find(wanted func(world.Node) bool) (string, bool) {
	for _, h := range w.hosts {
		if p, ok := h.running().(*nodeHost); ok && slices.ContainsFunc(p.nodes(), wanted) {
			return h.Name, true
		}
	}
	return "", false
}

// RaftNodes implements world.World.
func (w *World) RaftNodes(name string) ([]world.RaftNode, error) {
	h, err := w.host(name)
	if err != nil {
		return nil, err
	}
	if p := h.running(); p != nil {
		return raftstate.Read(raftOf(p))
	}
	return nil, fmt.Errorf("no process runs on host %s", name)
}

// raftOf returns the NodeHost in a process.
func raftOf(p process) *dragonboat.NodeHost {
	if d, ok := p.(*drummerServer); ok {
		return d.server.NodeHost()
	}
	return p.(*nodeHost).dragonboat
}

// LeaderChanges implements world.World.
func (w *World) LeaderChanges() []world.LeaderChange { return w.leaders.take() }

// watch has messages watched.
func (w *World) watch(host string, messages []pb.Message) {
	w.safety.Watch(naming(w.byName[host]), messages)
}

// watchSent has messages watched that a host sends.
func (w *World) watchSent(host string, messages []pb.Message) {
	w.safety.WatchSent(naming(w.byName[host]), messages)
}

// naming says what the clusters of a host are called where they must differ:
// DrummerDB's has an ID that another one may have, too.
func naming(h *host) func(id uint64) uint64 {
	if h.drums() {
		return func(uint64) uint64 { return world.DrummerDB }
	}
	return func(id uint64) uint64 { return id }
}

// watchChunk has a chunk of a snapshot watched.
func (w *World) watchChunk(host string, chunk *pb.Chunk) {
	w.safety.WatchChunk(naming(w.byName[host]), chunk)
}

// about tells how a cluster is configured. Drummer demands Dragonboat's
// OrderedConfigChange.
func (w *World) about(cluster uint64) raftsafety.About {
	for _, c := range w.cfg.Static {
		if c.ID == cluster {
			about := raftsafety.About{Ordered: c.Raft.OrderedConfigChange}
			if c.Raft.CheckQuorum {
				about.ElectionRTT, about.HeartbeatRTT = int(c.Raft.ElectionRTT), int(c.Raft.HeartbeatRTT)
			}
			return about
		}
	}
	if cluster == world.DrummerDB {
		return raftsafety.About{Ordered: true, ElectionRTT: drummerElectionRTT, HeartbeatRTT: drummerHeartbeatRTT}
	}
	return raftsafety.About{Ordered: true, ElectionRTT: w.cfg.ElectionRTT, HeartbeatRTT: w.cfg.HeartbeatRTT}
}

// RaftSafety is what the messages of Raft that arrived so far say of its safety.
func (w *World) RaftSafety() *invariant.RaftSafety { return w.safety.Found() }

func (w *World) host(name string) (*host, error) {
	h := w.byName[name]
	if h == nil {
		return nil, fmt.Errorf("the world has no host %q", name)
	}
	return h, nil
}

// nodeHost finds the NodeHost process that runs on a host.
func (w *World) nodeHost(name string) (*nodeHost, error) {
	h, err := w.host(name)
	if err != nil {
		return nil, err
	}
	p, ok := h.running().(*nodeHost)
	if !ok {
		return nil, fmt.Errorf("no NodeHost runs on host %s", name)
	}
	return p, nil
}

// drummerAPIs lists the gRPC addresses of all Drummer servers.
func (w *World) drummerAPIs() []string {
	var addresses []string
	for _, h := range w.hosts {
		if h.Role == world.Drummer {
			addresses = append(addresses, h.APIAddress)
		}
	}
	return addresses
}
