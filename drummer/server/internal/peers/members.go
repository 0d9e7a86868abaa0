// SPDX-License-Identifier: Apache-2.0

package peers

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
func (p *Peers) membership(ctx context.Context) (*dragonboat.Membership, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.ProposeTimeout)
	defer cancel()
	m, err := p.config.Raft.Membership(ctx)
	if err == nil {
		p.known.update(m)
	}
	return m, err
}

// joinedAndCaughtUp reports whether this server has joined, is not yet a voter,
// and follows the log closely enough to become one.
func (p *Peers) joinedAndCaughtUp(ctx context.Context) bool {
	if !p.config.Join || p.isVoter(p.config.NodeID) {
		return false
	}
	return p.config.Raft.Readable(ctx, p.config.ElectionTimeout)
}

func (p *Peers) isVoter(nodeID uint64) bool {
	_, voter := p.config.Raft.Voters()[nodeID]
	return voter
}

// PromoteJoined makes voters of the servers that have joined and caught up. The
// leader does it once a tick; a change that fails is tried again. A program that
// is older than the commands of the log's version may have read them as something else: it
// may follow, but neither vote nor lead.
func (p *Peers) PromoteJoined(ctx context.Context, version uint32) {
	for _, info := range p.table.list().GetServers() {
		if !info.GetCaughtUp() || !p.alive(info.GetNodeId()) || p.isVoter(info.GetNodeId()) || info.GetVersion() < version {
			continue
		}
		m, err := p.membership(ctx)
		if err != nil {
			return
		}
		address, ok := m.Observers[info.GetNodeId()]
		if !ok {
			continue
		}
		err = p.change(ctx, func(ctx context.Context) error {
			return p.config.Raft.AddVoter(ctx, info.GetNodeId(), address, m.ConfigChangeID)
		})
		p.config.Log.Info("a joined server becomes a voter", "node", info.GetNodeId(), "error", err)
	}
}

func (p *Peers) change(ctx context.Context, propose func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, p.config.ProposeTimeout)
	defer cancel()
	return propose(ctx)
}

// List lists the members of DrummerDB's Raft cluster.
func (p *Peers) List(ctx context.Context) (*pb.ListServersResponse, error) {
	m, err := p.membership(ctx)
	if err != nil {
		return nil, err
	}
	leader, _ := p.config.Leader()
	out := &pb.ListServersResponse{ConfigChangeId: m.ConfigChangeID}
	for role, members := range map[pb.MemberRole]map[uint64]string{
		pb.MemberRole_VOTER: m.Nodes, pb.MemberRole_OBSERVER: m.Observers, pb.MemberRole_WITNESS: m.Witnesses} {
		for id, address := range members {
			info := p.table.get(id)
			out.Servers = append(out.Servers, &pb.ServerStatus{
				NodeId: id, RaftAddress: address, Address: info.GetAddress(), Role: role,
				Leader: id == leader, Alive: p.alive(id), Version: info.GetVersion(),
			})
		}
	}
	slices.SortFunc(out.Servers, func(a, b *pb.ServerStatus) int { return int(a.GetNodeId()) - int(b.GetNodeId()) })
	return out, nil
}

// Add adds an observer. Asked again for the address of an observer, it
// answers with that one's node ID. A voter's address is refused: whoever starts
// there under the voter's node ID has forgotten its votes. By is who asks.
func (p *Peers) Add(ctx context.Context, req *pb.AddServerRequest, by string) (*pb.AddServerResponse, error) {
	if req.GetRaftAddress() == "" || req.GetAddress() == "" || len(req.GetRaftAddress()) > maxID || len(req.GetAddress()) > maxID {
		return nil, status.Errorf(codes.InvalidArgument, "a server needs a RaftAddress and a gRPC address of 1 to %d bytes", maxID)
	}
	if err := raftaddress.Check(req.GetRaftAddress()); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	m, err := p.membership(ctx)
	if err != nil {
		return nil, err
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
		note := &pb.NoteServerChange{Change: pb.NoteServerChange_ADD, NodeId: id, RaftAddress: req.GetRaftAddress(), By: by}
		if err := p.config.Note(ctx, note); err != nil {
			return nil, err
		}
		if err := p.change(ctx, func(ctx context.Context) error {
			return p.config.Raft.AddObserver(ctx, id, req.GetRaftAddress(), m.ConfigChangeID)
		}); err != nil {
			return nil, changeError(err)
		}
		if _, err := p.membership(ctx); err != nil { // it is known from now on
			return nil, err
		}
	}
	if err := p.table.merge(&pb.ServerList{Servers: []*pb.ServerInfo{{NodeId: id, RaftAddress: req.GetRaftAddress(), Address: req.GetAddress(), Beat: 1}}}); err != nil {
		return nil, err
	}
	return &pb.AddServerResponse{NodeId: id}, nil
}

func isMember(m *dragonboat.Membership, id uint64) bool {
	_, ok := memberAtID(m, id)
	return ok
}

func memberAtID(m *dragonboat.Membership, id uint64) (address string, ok bool) {
	for _, members := range []map[uint64]string{m.Nodes, m.Observers, m.Witnesses} {
		if address, ok = members[id]; ok {
			return address, true
		}
	}
	return "", false
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
	switch {
	case errors.Is(err, dragonboat.ErrRejected):
		return status.Error(codes.Aborted, "the membership of DrummerDB has changed meanwhile")
	case errors.Is(err, dragonboat.ErrInvalidAddress):
		return status.Error(codes.InvalidArgument, "the RaftAddress is none that servers can be reached at; it is HOST:PORT")
	}
	return err
}

// Remove takes a server out of DrummerDB's Raft cluster; forced also when those
// that stay are no working majority. Nothing is done to one that was removed before.
// By is who asks.
func (p *Peers) Remove(ctx context.Context, id uint64, force bool, by string) error {
	// What this server knows by itself refuses at once, also when there is no quorum
	// to read the membership from.
	if err := p.removable(p.config.Raft.Voters(), id, force); err != nil {
		return status.Error(codes.FailedPrecondition, err.Error())
	}
	if id == p.config.NodeID {
		return status.Errorf(codes.Unavailable, "server %d can't remove itself; ask another one", id)
	}
	m, err := p.membership(ctx)
	if err != nil {
		return err
	}
	address, voter := m.Nodes[id]
	if !voter {
		address = m.Observers[id]
	}
	_, observer := m.Observers[id]
	if _, removed := m.Removed[id]; removed {
		return nil
	}
	if !voter && !observer {
		return status.Errorf(codes.NotFound, "DrummerDB has no server %d", id)
	}
	if voter {
		if err := p.removable(m.Nodes, id, force); err != nil {
			return status.Error(codes.FailedPrecondition, err.Error())
		}
		if leader, _ := p.config.Leader(); leader == id {
			// Its removal would end with it; the next try finds another leader.
			_ = p.config.Raft.TransferLeader(p.config.NodeID)
			return status.Errorf(codes.Unavailable, "server %d leads; the leadership is being handed over", id)
		}
	}
	if err := p.config.Note(ctx, &pb.NoteServerChange{Change: pb.NoteServerChange_REMOVE, NodeId: id, RaftAddress: address, By: by}); err != nil {
		return err
	}
	if err := p.change(ctx, func(ctx context.Context) error {
		return p.config.Raft.Remove(ctx, id, m.ConfigChangeID)
	}); err != nil {
		return changeError(err)
	}
	p.table.drop(id)
	return nil
}

// removable returns why one of the voters can't, or, unless forced, should not be
// removed: those that stay could not go on by themselves.
func (p *Peers) removable(voters map[uint64]string, id uint64, force bool) error {
	if _, votes := voters[id]; !votes {
		return nil
	}
	alive := p.living(voters)
	stay := maps.Clone(voters)
	delete(stay, id)
	others := p.living(stay)
	switch need := db.Quorum(len(stay)); {
	case len(stay) == 0:
		return fmt.Errorf("server %d is the last one of DrummerDB and can't be taken out; to end the deployment stop it and remove its data_dir", id)
	case alive < db.Quorum(len(voters)):
		return fmt.Errorf("%d of %d servers of DrummerDB are alive, and a change of its membership needs %d; start others again first", alive, len(voters), db.Quorum(len(voters)))
	case others == 0:
		return fmt.Errorf("server %d is the only one that is alive and can't remove itself; start another one first", id)
	case others < need && !force:
		return fmt.Errorf("without server %d DrummerDB has %d voters, of which %d are alive; a quorum needs %d, and without one nothing works until others are back; force it (--yes) to remove it all the same",
			id, len(stay), others, need)
	}
	return nil
}

// living counts the servers that were heard of lately.
func (p *Peers) living(servers map[uint64]string) (alive int) {
	for id := range servers {
		if p.alive(id) {
			alive++
		}
	}
	return alive
}
