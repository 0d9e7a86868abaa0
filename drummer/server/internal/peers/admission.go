// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

const (
	// admitPause is between two rounds of asking, admitTimeout bounds one
	// question.
	admitPause   = 100 * time.Millisecond
	admitTimeout = 2 * time.Second
	// admitPatience is how long waiting for others is nothing unusual.
	admitPatience = 10 * time.Second
)

// ErrDiskLost is in the error of a server that would start under a NodeID which
// belongs to another disk.
var ErrDiskLost = errors.New("the disk was lost")

func diskLost(nodeID uint64, how string) error {
	return fmt.Errorf("server %d of Drummer must not start: %w: %s. It has forgotten its votes and what it acknowledged, and what the others acknowledged with it could be lost too. "+
		"Let another one take its place: `dragonboat-drummer-cmd servers remove %d`, then `servers add RAFT-ADDRESS ADDRESS`, or `servers replace %d RAFT-ADDRESS ADDRESS` for both; "+
		"start that one on an empty data_dir with the node_id it is given and join: true. "+
		"If DrummerDB never worked so far, empty the data_dir of all servers instead",
		nodeID, ErrDiskLost, how, nodeID, nodeID)
}

// admission is a server without a log asking the others whether its NodeID was
// never used on another disk, until enough of them have said so. An initial
// member asks all others: so each of them knows it when it has voted for the
// first time, and would know if it came back without its disk. One that joins
// asks a majority of those it is told of.
type admission struct {
	peers    *Peers
	others   map[uint64]Peer
	needed   int
	conns    map[uint64]*grpc.ClientConn
	asking   map[uint64]bool
	answers  chan admitAnswer
	answered map[uint64]string // incarnations of who said yes
	failures map[uint64]error
	said     string // what was logged last
}

type admitAnswer struct {
	from     uint64
	response *pb.AdmitResponse
	err      error
}

func (p *Peers) newAdmission() *admission {
	a := &admission{
		peers: p, others: maps.Clone(p.config.Members), conns: map[uint64]*grpc.ClientConn{}, asking: map[uint64]bool{},
		answered: map[uint64]string{}, failures: map[uint64]error{},
	}
	delete(a.others, p.config.NodeID)
	a.needed = len(a.others)
	if p.config.Join {
		a.needed = len(a.others)/2 + 1
	}
	a.answers = make(chan admitAnswer, len(a.others))
	return a
}

// run returns when the server may start Raft, with an error when it may not.
func (a *admission) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer a.close(cancel)
	start := time.Now()
	pause := time.NewTicker(admitPause)
	defer pause.Stop()
	a.ask(ctx)
	for {
		select {
		case answer := <-a.answers:
			if err := a.take(answer); err != nil {
				return err
			}
			if a.enough() {
				return nil
			}
		case <-pause.C:
			a.say(time.Since(start))
			a.ask(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// close waits for the questions under way.
func (a *admission) close(cancel func()) {
	cancel()
	for len(a.asking) > 0 {
		answer := <-a.answers
		delete(a.asking, answer.from)
	}
	for _, conn := range a.conns {
		_ = conn.Close()
	}
}

// missing are the servers whose answer is needed still: also of one that has
// come back with another disk since it answered.
func (a *admission) missing() []uint64 {
	var ids []uint64
	for id := range a.others {
		if answer := a.answered[id]; answer == "" || answer != a.peers.record.incarnation(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (a *admission) enough() bool {
	for _, id := range a.missing() {
		delete(a.answered, id)
	}
	return len(a.answered) >= a.needed && a.peers.record.begin(a.answered)
}

// ask asks each missing server that has no question of this one under way.
func (a *admission) ask(ctx context.Context) {
	dialer := rpc.Dialer{Dial: a.peers.config.Dial, TLS: role.Expect(role.Server, a.peers.config.TLS)}
	for _, id := range a.missing() {
		if a.asking[id] {
			continue
		}
		if a.conns[id] == nil {
			conn, err := dialer.Connect(a.others[id].Address)
			if err != nil {
				a.failures[id] = err
				continue
			}
			a.conns[id] = conn
		}
		a.asking[id] = true
		conn := a.conns[id]
		go func() {
			ctx, cancel := context.WithTimeout(ctx, admitTimeout)
			defer cancel()
			response, err := pb.NewPeersClient(conn).Admit(ctx, &pb.AdmitRequest{
				NodeId: a.peers.config.NodeID, Incarnation: a.peers.record.own, DeploymentId: a.peers.config.DeploymentID})
			a.answers <- admitAnswer{id, response, err}
		}()
	}
}

// take takes in one answer. An error is the end: the NodeID is another disk's.
func (a *admission) take(answer admitAnswer) error {
	id, response := answer.from, answer.response
	delete(a.asking, id)
	if answer.err != nil {
		a.failures[id] = answer.err
		return nil
	}
	if response.GetNodeId() != id || response.GetIncarnation() == "" {
		a.failures[id] = fmt.Errorf("server %d answers at %s", response.GetNodeId(), a.others[id].Address)
		return nil
	}
	if own := a.peers.record.own; response.GetKnownIncarnation() != own {
		return diskLost(a.peers.config.NodeID, fmt.Sprintf("server %d knows it by the disk of NodeHost %s, and this one is %s",
			id, response.GetKnownIncarnation(), own))
	}
	known, err := a.peers.record.admit(id, response.GetIncarnation())
	switch {
	case err != nil:
		a.failures[id] = err
	case known != response.GetIncarnation():
		a.failures[id] = fmt.Errorf("it is known by the disk of NodeHost %s, and answers as %s", known, response.GetIncarnation())
	default:
		a.answered[id] = response.GetIncarnation()
		delete(a.failures, id)
	}
	return nil
}

// say logs whom this server waits for, when that has changed.
func (a *admission) say(waited time.Duration) {
	missing := a.missing()
	long := waited > admitPatience
	now := fmt.Sprint(missing, long)
	if now == a.said {
		return
	}
	a.said = now
	var whom []string
	for _, id := range missing {
		whom = append(whom, fmt.Sprintf("server %d at %s (%v)", id, a.others[id].Address, a.failures[id]))
	}
	log := a.peers.config.Log.Info
	if long {
		log = a.peers.config.Log.Warn
	}
	log("waits for other servers to admit it before its first start", "answers", len(a.answered), "needed", a.needed, "waits-for", strings.Join(whom, ", "))
}

// Admit answers a server that has no log whether its NodeID was never used on
// another disk, and remembers it from then on.
func (s *service) Admit(ctx context.Context, req *pb.AdmitRequest) (*pb.AdmitResponse, error) {
	p, id, incarnation := s.peers, req.GetNodeId(), req.GetIncarnation()
	switch {
	case id == 0 || incarnation == "" || len(incarnation) > maxID:
		return nil, status.Errorf(codes.InvalidArgument, "a server needs a NodeID above 0 and an incarnation of 1 to %d bytes", maxID)
	case req.GetDeploymentId() != p.config.DeploymentID:
		return nil, status.Errorf(codes.FailedPrecondition, "server %d is configured for deployment %d, this one for %d", id, req.GetDeploymentId(), p.config.DeploymentID)
	}
	out := &pb.AdmitResponse{NodeId: p.config.NodeID, Incarnation: p.record.own, KnownIncarnation: p.record.own}
	if id == p.config.NodeID {
		return out, nil
	}
	if isServer, err := p.known.admits(ctx, id, p.membership); err != nil || !isServer {
		return nil, status.Errorf(codes.Unavailable, "server %d is neither configured here nor a member of DrummerDB (%v); it is admitted once `servers add` has given it that node_id", id, err)
	}
	known, err := p.record.admit(id, incarnation)
	if err == nil && known != incarnation {
		known, err = p.readmit(ctx, id, known, incarnation)
	}
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "server %d can't be admitted yet: %v", id, err)
	}
	out.KnownIncarnation = known
	return out, nil
}

// readmit lets a server have another disk if it was never a member of
// DrummerDB: then it has neither voted nor acknowledged anything.
func (p *Peers) readmit(ctx context.Context, id uint64, known, incarnation string) (string, error) {
	if p.isVoter(id) {
		return known, nil
	}
	m, err := p.membership(ctx)
	if err != nil {
		return "", fmt.Errorf("it is known by another disk, and who the members are can't be read: %w", err)
	}
	if _, removed := m.Removed[id]; removed || isMember(m, id) {
		return known, nil
	}
	return incarnation, p.record.replace(id, known, incarnation)
}
