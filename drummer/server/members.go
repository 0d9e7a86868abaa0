// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lni/dragonboat/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftaddress"
)

// membership reads who the members of DrummerDB's own Raft cluster are.
func (s *Server) membership(ctx context.Context) (*dragonboat.Membership, error) {
	ctx, cancel := context.WithTimeout(ctx, s.proposeTimeout())
	defer cancel()
	return s.group.membership(ctx)
}

// joinedAndCaughtUp reports whether this server has joined, is not yet a voter,
// and follows the log closely enough to become one.
func (s *Server) joinedAndCaughtUp(ctx context.Context) bool {
	if !s.config.Join || s.isVoter(s.config.NodeID) {
		return false
	}
	return s.group.readable(ctx, s.config.electionTimeout())
}

func (s *Server) isVoter(nodeID uint64) bool {
	_, voter := s.group.voters()[nodeID]
	return voter
}

// raiseVersion lets the next version's commands into the log once every server
// that votes is alive and knows them: a program that doesn't would apply them
// differently.
func (l *leadership) raiseVersion(ctx context.Context) error {
	state, err := l.server.localState()
	if err != nil || state.Version >= db.Version {
		return nil
	}
	next := state.Version + 1
	if !l.server.peers.allKnow(next, l.server.group.voters(), aliveTicks*l.server.config.Tick) {
		return nil
	}
	if err := l.write(ctx, "version", []*pb.Command{{Body: &pb.Command_SetVersion{SetVersion: &pb.SetVersion{Version: next}}}}); err != nil {
		return err
	}
	// What agents said before may have meant nothing then.
	l.sendAll(&pb.ServerMessage{Body: &pb.ServerMessage_SendFullState{SendFullState: &pb.SendFullState{}}})
	return nil
}

// promoteJoined makes voters of the servers that have joined and caught up. The
// leader does it once a tick; a change that fails is tried again. A program that
// is older than the commands in the log may have read them as something else: it
// may follow, but neither vote nor lead.
func (s *Server) promoteJoined(ctx context.Context) {
	state, err := s.localState()
	if err != nil {
		return
	}
	for _, info := range s.peers.list().GetServers() {
		if !info.GetCaughtUp() || !s.alive(info.GetNodeId()) || s.isVoter(info.GetNodeId()) || info.GetVersion() < state.Version {
			continue
		}
		m, err := s.membership(ctx)
		if err != nil {
			return
		}
		address, ok := m.Observers[info.GetNodeId()]
		if !ok {
			continue
		}
		err = s.change(ctx, func(ctx context.Context) error {
			return s.group.addVoter(ctx, info.GetNodeId(), address, m.ConfigChangeID)
		})
		s.log.Info("a joined server becomes a voter", "node", info.GetNodeId(), "error", err)
	}
}

func (s *Server) change(ctx context.Context, propose func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.proposeTimeout())
	defer cancel()
	return propose(ctx)
}

// ListServers lists the members of DrummerDB's Raft cluster.
func (f *fleetService) ListServers(ctx context.Context, _ *pb.ListServersRequest) (*pb.ListServersResponse, error) {
	s := f.server
	m, err := s.membership(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	leader, _ := s.leader.current()
	out := &pb.ListServersResponse{ConfigChangeId: m.ConfigChangeID}
	for role, members := range map[pb.MemberRole]map[uint64]string{
		pb.MemberRole_VOTER: m.Nodes, pb.MemberRole_OBSERVER: m.Observers, pb.MemberRole_WITNESS: m.Witnesses} {
		for id, address := range members {
			info := s.peers.get(id)
			out.Servers = append(out.Servers, &pb.ServerStatus{
				NodeId: id, RaftAddress: address, Address: info.GetAddress(), Role: role,
				Leader: id == leader, Alive: s.alive(id), Version: info.GetVersion(),
			})
		}
	}
	slices.SortFunc(out.Servers, func(a, b *pb.ServerStatus) int { return int(a.GetNodeId()) - int(b.GetNodeId()) })
	return out, nil
}

// AddServer adds an observer. Asked again for the address of an observer, it
// answers with that one's node ID. A voter's address is refused: whoever starts
// there under the voter's node ID has forgotten its votes.
func (f *fleetService) AddServer(ctx context.Context, req *pb.AddServerRequest) (*pb.AddServerResponse, error) {
	s := f.server
	if req.GetRaftAddress() == "" || req.GetAddress() == "" || len(req.GetRaftAddress()) > maxID || len(req.GetAddress()) > maxID {
		return nil, status.Errorf(codes.InvalidArgument, "a server needs a RaftAddress and a gRPC address of 1 to %d bytes", maxID)
	}
	if err := raftaddress.Check(req.GetRaftAddress()); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	m, err := s.membership(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	if id, votes := memberAt(req.GetRaftAddress(), m.Nodes, m.Witnesses); votes {
		return nil, status.Errorf(codes.FailedPrecondition, "server %d at %s has a vote; if its disk is lost, remove it first (`servers remove %d`), then the address can be added under a new node ID",
			id, req.GetRaftAddress(), id)
	}
	id, exists := memberAt(req.GetRaftAddress(), m.Observers)
	if !exists {
		if len(m.Nodes)+len(m.Observers) >= db.MaxClusterSize {
			return nil, status.Errorf(codes.FailedPrecondition, "DrummerDB has %d servers already", len(m.Nodes)+len(m.Observers))
		}
		id = nextNodeID(m)
		if err := s.change(ctx, func(ctx context.Context) error {
			return s.group.addObserver(ctx, id, req.GetRaftAddress(), m.ConfigChangeID)
		}); err != nil {
			return nil, changeError(err)
		}
	}
	if err := s.peers.merge(&pb.ServerList{Servers: []*pb.ServerInfo{{NodeId: id, RaftAddress: req.GetRaftAddress(), Address: req.GetAddress(), Beat: 1}}}); err != nil {
		return nil, unavailable(err)
	}
	return &pb.AddServerResponse{NodeId: id}, nil
}

func isMember(m *dragonboat.Membership, id uint64) bool {
	_, voter := m.Nodes[id]
	_, observer := m.Observers[id]
	_, witness := m.Witnesses[id]
	return voter || observer || witness
}

func memberAt(address string, roles ...map[uint64]string) (nodeID uint64, ok bool) {
	for _, members := range roles {
		for id, at := range members {
			if at == address {
				return id, true
			}
		}
	}
	return 0, false
}

// nextNodeID is above every ID that was ever used.
func nextNodeID(m *dragonboat.Membership) uint64 {
	last := uint64(0)
	for _, members := range []map[uint64]string{m.Nodes, m.Observers, m.Witnesses} {
		for id := range members {
			last = max(last, id)
		}
	}
	for id := range m.Removed {
		last = max(last, id)
	}
	return last + 1
}

// changeError says what became of a config change; the caller may ask again.
func changeError(err error) error {
	if errors.Is(err, dragonboat.ErrRejected) {
		return status.Error(codes.Aborted, "the membership of DrummerDB has changed meanwhile")
	}
	return unavailable(err)
}

// RemoveServer takes a server out of DrummerDB's Raft cluster.
func (f *fleetService) RemoveServer(ctx context.Context, req *pb.RemoveServerRequest) (*pb.FleetResponse, error) {
	s, id := f.server, req.GetNodeId()
	if id == s.config.NodeID {
		return nil, status.Errorf(codes.Unavailable, "server %d can't remove itself; ask another one", id)
	}
	m, err := s.membership(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	_, voter := m.Nodes[id]
	_, observer := m.Observers[id]
	if _, removed := m.Removed[id]; removed {
		return f.held()
	}
	if !voter && !observer {
		return nil, status.Errorf(codes.NotFound, "DrummerDB has no server %d", id)
	}
	if voter {
		if err := s.quorumWithout(m, id); err != nil {
			return nil, status.Error(codes.FailedPrecondition, err.Error())
		}
		if leader, _ := s.leader.current(); leader == id {
			// Its removal would end with it; the next try finds another leader.
			_ = s.group.transferLeader(s.config.NodeID)
			return nil, status.Errorf(codes.Unavailable, "server %d leads; the leadership is being handed over", id)
		}
	}
	if err := s.change(ctx, func(ctx context.Context) error {
		return s.group.remove(ctx, id, m.ConfigChangeID)
	}); err != nil {
		return nil, changeError(err)
	}
	s.peers.drop(id)
	return f.held()
}

// quorumWithout returns why the voters that stay could not go on by themselves.
func (s *Server) quorumWithout(m *dragonboat.Membership, id uint64) error {
	stay, alive := len(m.Nodes)-1, 0
	for _, other := range slices.Sorted(maps.Keys(m.Nodes)) {
		if other != id && s.alive(other) {
			alive++
		}
	}
	if need := db.Quorum(stay); stay == 0 || alive < need {
		return fmt.Errorf("without server %d DrummerDB has %d voters, of which %d are alive; a quorum needs %d", id, stay, alive, need)
	}
	return nil
}

func (f *fleetService) held() (*pb.FleetResponse, error) {
	state, err := f.server.localState()
	if err != nil {
		return nil, unavailable(err)
	}
	return &pb.FleetResponse{DbIndex: state.Index}, nil
}
