// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
	"github.com/drumbeat-raft/drumbeat/drummer/server"
	"github.com/drumbeat-raft/drumbeat/monkey/audit"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// deploymentID names the deployment of a simulated world.
const deploymentID = 1

// drummerServer is the process of a Drummer server.
type drummerServer struct {
	*eventListener
	server *server.Server
}

func (w *World) startDrummer(h *host) (process, error) {
	fs := w.mount(h)
	if err := fs.MkdirAll(raftDir, 0o755); err != nil {
		return nil, err
	}
	l, err := w.net.Listen(h.Name, h.APIAddress)
	if err != nil {
		return nil, err
	}
	p := &drummerServer{eventListener: w.listen(h)}
	nhc := w.nodeHostConfig(h, fs)
	nhc.RaftEventListener = p.eventListener
	p.server, err = server.New(server.Config{
		NodeHost: nhc,
		NodeID:   uint64(h.number),
		Members:  w.drummerPeers(),
		Listener: l,
		Dial:     w.net.Dialer(h.Name),
		Tick:     w.cfg.Drummer.Heartbeat.D(),
		Policy:   w.policy(),

		SnapshotEntries: uint64(w.cfg.Drummer.Snapshots),
		DeploymentID:    deploymentID,
		Logger:          w.cfg.Logger(h.Name),
	})
	if err != nil {
		return nil, fmt.Errorf("start the Drummer server: %w", err)
	}
	return p, nil
}

func (p *drummerServer) stop() { p.server.Close() }

// DrummerStates implements world.World.
func (w *World) DrummerStates() []world.DrummerState {
	var all []world.DrummerState
	for _, h := range w.hosts {
		p, ok := h.running().(*drummerServer)
		if !ok {
			continue
		}
		answer, err := p.server.NodeHost().StaleRead(server.ClusterID, db.GetState{})
		if err != nil { // it has not started its replica, or ends
			continue
		}
		state := answer.(*db.State)
		all = append(all, world.DrummerState{
			Host: h.Name, NodeID: uint64(h.number), Index: state.Index,
			Digest: func() string { return audit.Digest(state) },
		})
	}
	return all
}

// Auditor begins an audit of the Drummer servers.
func (w *World) Auditor() *audit.Auditor {
	return audit.New(uint64(w.cfg.Drummer.TimeToLive/w.cfg.Drummer.Heartbeat), w.policy(), server.Seed)
}

// Audited looks into all running Drummer servers and NodeHosts, past network and faults.
func (w *World) Audited() ([]audit.Server, audit.Truth) {
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
			truth.Hosts = append(truth.Hosts, p.audited(h, at))
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

// audited is the truth about a NodeHost, for whose agent servers are at API addresses.
func (p *nodeHost) audited(h *host, at map[string]string) audit.Host {
	h.mu.Lock()
	paused := h.pauses > 0
	h.mu.Unlock()
	out := audit.Host{Address: h.RaftAddress, ID: p.dragonboat.ID(), Server: at[p.agent.Attached()], Paused: paused, Nodes: map[audit.Key]audit.Node{}}
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
	return out
}

// policy is Drummer's default with the scenario's time to live.
func (w *World) policy() schedule.Policy {
	policy := schedule.DefaultPolicy()
	policy.TTL = uint64(w.cfg.Drummer.TimeToLive / w.cfg.Drummer.Heartbeat)
	return policy
}

// drummerPeers lists all Drummer servers by their NodeID.
func (w *World) drummerPeers() map[uint64]server.Peer {
	peers := map[uint64]server.Peer{}
	for _, h := range w.hosts {
		if h.Role == world.Drummer {
			peers[uint64(h.number)] = server.Peer{RaftAddress: h.RaftAddress, Address: h.APIAddress}
		}
	}
	return peers
}
