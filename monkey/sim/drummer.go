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

// The Raft timeouts of DrummerDB, in ticks.
const (
	drummerElectionRTT  = 10
	drummerHeartbeatRTT = 1
)

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
		ElectionRTT: drummerElectionRTT, HeartbeatRTT: drummerHeartbeatRTT,
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
