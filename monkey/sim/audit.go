// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"maps"
	"sync"

	"github.com/lni/dragonboat/v3"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/server"
	"github.com/drumbeat-raft/drumbeat/monkey/audit"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/raftstate"
)

// Auditor begins an audit of the Drummer servers.
func (w *World) Auditor() *audit.Auditor {
	return audit.New(uint64(w.cfg.Drummer.TimeToLive/w.cfg.Drummer.Heartbeat), w.policy(), server.Seed, w.cfg.Deployment.Disk.Sync.P99.D())
}

// Audited looks into all running Drummer servers, past network and faults, and at who is
// attached to whom; from depth 1 on, at what the NodeHosts run; and from depth 2 on, at
// what is on their disks.
func (w *World) Audited(depth int) ([]audit.Server, audit.Truth) {
	var servers []audit.Server
	var truth audit.Truth
	at, newest := map[string]string{}, uint64(0) // hosts by API address
	for _, h := range w.hosts {
		p, ok := h.running().(*drummerServer)
		if !ok {
			continue
		}
		at[h.APIAddress] = h.Name
		servers = append(servers, audit.Server{Host: h.Name, State: p.state(db.GetState{}), At: func(index uint64) *db.State { return p.state(db.GetStateAt{Index: index}) }})
		if term, leads := p.server.Leading(); leads && term > newest {
			newest, truth.Leader = term, h.Name
		}
	}
	for _, h := range w.hosts {
		if p, ok := h.running().(*nodeHost); ok && p.agent != nil {
			x := p.attachedTo(h, at)
			if depth >= 1 && !x.Paused { // it might hold a lock

				p.audited(&x)
			}
			if depth >= 2 && !x.Paused {
				x.Stored = p.stored()
			}
			truth.Hosts = append(truth.Hosts, x)
		}
	}
	return servers, truth
}

// state asks a server's replica for a state of DrummerDB; nil: it has none.
func (p *drummerServer) state(query any) *db.State {
	answer, err := p.server.NodeHost().StaleRead(server.ClusterID, query)
	if err != nil { // it has not started its replica, or ends
		return nil
	}
	state, _ := answer.(*db.State)
	return state
}

// attachedTo says who a NodeHost is, and to whom it is attached; servers are at API
// addresses.
func (p *nodeHost) attachedTo(h *host, at map[string]string) audit.Host {
	h.mu.Lock()
	paused := h.pauses > 0
	h.mu.Unlock()
	return audit.Host{Address: h.RaftAddress, ID: p.dragonboat.ID(), Server: at[p.agent.Attached()], Paused: paused}
}

// audited adds what runs on a NodeHost, and what its agent was asked for.
func (p *nodeHost) audited(out *audit.Host) {
	out.Nodes = map[audit.Key]audit.Node{}
	out.Taken, out.Answered = p.requests.copy()
	for _, n := range p.nodes() {
		var x audit.Node
		if n.Ready {
			x.CCID, x.Voters = n.ConfigID, n.Voters
		}
		if leader, valid, err := p.dragonboat.GetLeaderID(n.ClusterID); err == nil && valid {
			x.Leader = leader
		}
		out.Nodes[audit.Key{Cluster: n.ClusterID, Node: n.NodeID}] = x
	}
	nodes, err := raftstate.Read(p.dragonboat)
	if err != nil {
		return // it is closing
	}
	for _, n := range nodes {
		k := audit.Key{Cluster: n.ClusterID, Node: n.NodeID}
		if x, runs := out.Nodes[k]; runs {
			x.Applied, x.Committed = n.Applied, n.Committed
			out.Nodes[k] = x
		}
	}
}

// stored lists the nodes that have a log on the disk, or had one that the disk has lost;
// nil: the NodeHost is closed.
func (p *nodeHost) stored() map[audit.Key]bool {
	info := p.dragonboat.GetNodeHostInfo(dragonboat.DefaultNodeHostInfoOption)
	if info == nil {
		return nil
	}
	stored := map[audit.Key]bool{}
	for _, l := range info.LogInfo {
		stored[audit.Key{Cluster: l.ClusterID, Node: l.NodeID}] = true
	}
	for cluster, nodes := range p.disk.Lost() {
		for _, node := range nodes {
			stored[audit.Key{Cluster: cluster, Node: node}] = true
		}
	}
	return stored
}

// requests are the operations that the agent of one process was asked for.
type requests struct {
	mu              sync.Mutex
	taken, answered map[uint64]bool
}

// told notes a request, and tells of its step.
func (p *nodeHost) told(req *pb.Request, result *pb.RequestResult) {
	p.requests.note(req.GetOperationId(), result != nil)
	p.onRequest(req, result)
}

func (r *requests) note(operation uint64, answered bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken == nil {
		r.taken, r.answered = map[uint64]bool{}, map[uint64]bool{}
	}
	r.taken[operation] = true
	if answered {
		r.answered[operation] = true
	}
}

func (r *requests) copy() (taken, answered map[uint64]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.taken), maps.Clone(r.answered)
}

// Data lists, by their names, what state machines have of their own on the disk of a
// running NodeHost's host.
func (w *World) Data(name string) ([]string, error) {
	p, err := w.nodeHost(name)
	if err != nil {
		return nil, err
	}
	fs := p.dragonboat.NodeHostConfig().Expert.FS
	if _, err := fs.Stat(dataDir); err != nil {
		return nil, nil // there is nothing
	}
	return fs.List(dataDir)
}
