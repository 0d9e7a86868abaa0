// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/lni/dragonboat/v3"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
	"github.com/drumbeat-raft/drumbeat/drummer/server/internal/peers"
)

// ErrDiskLost is in the error of a server that would start under a NodeID which
// belongs to another disk.
var ErrDiskLost = peers.ErrDiskLost

// Server is a running Drummer server. It is safe for concurrent use.
type Server struct {
	config   Config
	log      *slog.Logger
	nodehost *dragonboat.NodeHost
	disk     *diskcheck.Checker
	group    group
	leader   *leaderListener
	peers    *peers.Peers
	guard    *role.Guard
	grpc     *rpc.Server

	// leadership is set while this server's node leads and may act.
	leadership atomic.Pointer[leadership]
	prospects  prospects
	reads      reads
	// applied is DrummerDB as this server has applied it; nil: it does not run yet.
	applied atomic.Pointer[db.State]
	index   *db.Index

	proposed  atomic.Uint64 // bytes proposed to DrummerDB
	decisions decisions
	watchers  atomic.Int64 // of events

	failed chan error // capacity 1
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// New starts a Drummer server: at its first start as one of the initial
// members, later from what is on its disk. It owns the listener from here on,
// also when it fails.
//
// The first start of a server that is not alone is not over when New returns:
// the others have to say first that its NodeID was never used on another disk
// (ErrDiskLost). The very first ones of a deployment wait for each other. What
// becomes of it is in the log, and Failed returns when it can't be.
func New(config Config) (*Server, error) {
	s, err := start(config)
	if err != nil && config.Listener != nil {
		_ = config.Listener.Close()
	}
	return s, err
}

func start(config Config) (*Server, error) {
	if config.Listener == nil {
		return nil, errors.New("a Drummer server needs a listener")
	}
	s, err := open(config)
	if err != nil {
		return nil, err
	}
	admit, err := s.prepare()
	if err != nil {
		s.nodehost.Stop()
		return nil, err
	}
	s.serve(admit)
	return s, nil
}

// open opens a server's disk, and runs nothing of it yet.
func open(config Config) (*Server, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	config.setDefaults()
	s := &Server{
		config: config,
		log:    config.Logger.With("server", config.NodeID),
		leader: newLeaderListener(config.NodeHost.RaftEventListener),
		index:  db.NewIndex(config.Policy.TTL),
		failed: make(chan error, 1),
	}
	s.guard = role.NewGuard(config.TLS, s.log)
	s.config.NodeHost.RaftEventListener = s.leader
	var err error
	if s.nodehost, s.disk, err = diskcheck.Start(s.config.NodeHost, s.log); err != nil {
		return nil, fmt.Errorf("the NodeHost of Drummer server %d can't be started: %w", config.NodeID, explainDamage(config.NodeID, err))
	}
	s.group = &raftGroup{nodehost: s.nodehost, timeout: s.proposeTimeout()}
	if err = s.disk.Replica(ClusterID, config.NodeID); err == nil {
		err = s.openPeers(peers.FileIn(s.nodehost.NodeHostConfig()), s.nodehost.ID())
	}
	if err != nil {
		s.nodehost.Stop()
		return nil, explainDamage(config.NodeID, err)
	}
	return s, nil
}

// explainDamage adds to the error of a damaged disk what to do about it.
func explainDamage(nodeID uint64, err error) error {
	if !errors.Is(err, diskcheck.ErrDamaged) {
		return err
	}
	return fmt.Errorf("%w. Server %d of Drummer must not go on from there: it may have forgotten its votes and what it acknowledged. "+
		"Let another one take its place, as if its disk were lost: `dragonboat-drummer-cmd servers replace %d RAFT-ADDRESS ADDRESS`, "+
		"and start that one on an empty data_dir with the node_id it is given and join: true. Without a majority of the servers see 'Disasters' in docs/operating-drummer.md",
		err, nodeID, nodeID)
}

// prepare starts this server's replica of DrummerDB, unless it has to be
// admitted by others first: then it returns how.
func (s *Server) prepare() (admit func(context.Context) error, err error) {
	if s.nodehost.HasNodeInfo(ClusterID, s.config.NodeID) {
		if s.config.Join, err = s.peers.Resume(); err != nil {
			return nil, err
		}
		return nil, s.startDB(nil, false)
	}
	if admit, err = s.peers.FirstStart(); err != nil || admit != nil {
		return admit, err
	}
	return nil, s.firstStart()
}

// openPeers makes this server one among the others.
func (s *Server) openPeers(file durable.File, disk string) (err error) {
	config := &s.config
	s.peers, err = peers.Open(peers.Config{
		NodeID: config.NodeID, RaftAddress: config.NodeHost.RaftAddress, Members: config.Members, Join: config.Join,
		DeploymentID: config.DeploymentID, Tick: config.Tick,
		ElectionTimeout: config.electionTimeout(), ProposeTimeout: s.proposeTimeout(),
		Raft: s.group, Note: s.noteServerChange, Leader: s.leader.current, Dial: config.Dial, TLS: config.ClientTLS, Log: s.log,
	}, file, disk)
	return err
}

// serve starts all that runs beside Raft.
func (s *Server) serve(admit func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	config := &s.config
	s.grpc = s.guard.NewServer(config.Limits)
	pb.RegisterNodeHostsServer(s.grpc, &attachService{server: s})
	drummer := &drummerService{server: s}
	pb.RegisterDrummerServer(s.grpc, drummer)
	pb.RegisterFleetServer(s.grpc, &fleetService{drummer: drummer, server: s})
	s.peers.Register(s.grpc)
	s.done.Go(func() { _ = s.grpc.Serve(config.Listener) }) // ends with Close
	s.done.Go(func() { s.followLeadership(ctx) })
	s.done.Go(func() { s.peers.Run(ctx) })
	s.done.Go(func() { s.prospects.follow(ctx, s) })
	if config.Backup.Dir != "" {
		s.done.Go(func() { s.backUp(ctx) })
	}
	if admit != nil {
		s.done.Go(func() { s.startWhenAdmitted(ctx, admit) })
	}
}

// startWhenAdmitted is the first start of a server that is not alone.
func (s *Server) startWhenAdmitted(ctx context.Context, admit func(context.Context) error) {
	err := admit(ctx)
	if err == nil {
		s.log.Info("the others admit this server, DrummerDB starts")
		err = s.firstStart()
	}
	if err != nil && ctx.Err() == nil {
		s.log.Error("the server can't start", "error", err)
		s.failed <- err
	}
}

// Failed delivers the reason when the server can't start after all. It does
// nothing then but wait for Close.
func (s *Server) Failed() <-chan error { return s.failed }

// firstStart starts a replica that has no log.
func (s *Server) firstStart() error {
	var members map[uint64]string
	if !s.config.Join {
		members = s.config.initialMembers()
	}
	if err := s.startDB(members, s.config.Join); err != nil {
		return err
	}
	return s.peers.Started()
}

// startDB starts this server's replica of DrummerDB.
func (s *Server) startDB(members map[uint64]string, join bool) error {
	err := s.nodehost.StartConcurrentCluster(members, join, db.NewStateMachineAt(&s.applied), s.config.raftConfig())
	if errors.Is(err, dragonboat.ErrInvalidClusterSettings) {
		return fmt.Errorf("DrummerDB on server %d was first started with other members than it is now: %w", s.config.NodeID, err)
	}
	if err != nil {
		return fmt.Errorf("DrummerDB can't be started on server %d: %w", s.config.NodeID, err)
	}
	return nil
}

// Close stops the server and returns when nothing of it runs any more. What is
// on its disk stays.
func (s *Server) Close() {
	s.cancel()
	s.grpc.Stop()
	s.done.Wait()
	s.nodehost.Stop()
}

// NodeHost is the server's own NodeHost, for tests and for tools that look into
// DrummerDB. It must not be stopped.
func (s *Server) NodeHost() *dragonboat.NodeHost { return s.nodehost }

// Leading reports whether this server leads and may act, and in which term.
func (s *Server) Leading() (term uint64, ok bool) {
	if l := s.leadership.Load(); l != nil {
		return l.term, true
	}
	return 0, false
}

// followLeadership starts a leadership whenever this server's node becomes leader,
// and ends it as soon as it is heard not to be, or to be in another term.
func (s *Server) followLeadership(ctx context.Context) {
	var current *running
	defer func() { current.stop() }()
	for {
		leader, term := s.leader.current()
		if current != nil && (leader != s.config.NodeID || term != current.term) {
			current.stop()
			current = nil
		}
		if current == nil && leader == s.config.NodeID {
			current = s.startLeadership(ctx, term)
		}
		select {
		case <-s.leader.changed:
		case <-ctx.Done():
			return
		}
	}
}

// running is a leadership's goroutine.
type running struct {
	term   uint64
	cancel context.CancelFunc
	done   chan struct{}
}

func (s *Server) startLeadership(ctx context.Context, term uint64) *running {
	ctx, cancel := context.WithCancel(ctx)
	run := &running{term: term, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(run.done)
		defer cancel()
		s.lead(ctx, term)
	}()
	return run
}

func (r *running) stop() {
	if r != nil {
		r.cancel()
		<-r.done
	}
}

// leaderAddress is the gRPC address of whoever leads, "" when nobody is known
// to.
func (s *Server) leaderAddress() string {
	leader, _ := s.leader.current()
	return s.peers.Address(leader)
}
