// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/lni/dragonboat/v3"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftread"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

// probePause keeps a node whose probe failed from being probed all the time.
const probePause = time.Second

// probes find out, by linearizable reads in the background, what Dragonboat
// does not offer locally: a cluster's whole membership, and whether an observer
// has caught up. At most maxProbes reads run at a time.
type probes struct {
	ctx      context.Context
	nodehost *dragonboat.NodeHost
	changed  func() // wakes the agent
	slots    chan struct{}
	running  sync.WaitGroup

	mu    sync.Mutex
	nodes map[key]*probe
}

// probe is what is known of one running node.
type probe struct {
	membership  *pb.Membership // nil before the first read
	caughtUp    bool
	electionRTT uint64
	raftDigest  uint64
	busy        bool
	notBefore   time.Time
}

func newProbes(ctx context.Context, nodehost *dragonboat.NodeHost, changed func()) *probes {
	return &probes{
		ctx:      ctx,
		nodehost: nodehost,
		changed:  changed,
		slots:    make(chan struct{}, maxProbes),
		nodes:    map[key]*probe{},
	}
}

func (p *probes) wait() { p.running.Wait() }

// look starts the probes that a running node with a leader needs: its
// membership when ccid is newer than the one known, and while it is an
// observer whether it keeps up.
func (p *probes) look(k key, ccid uint64, observer bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	node := p.node(k)
	stale := node.membership.GetConfigChangeId() < ccid
	if !observer {
		node.caughtUp = false
	}
	if node.busy || !stale && !observer || time.Now().Before(node.notBefore) {
		return
	}
	select {
	case p.slots <- struct{}{}:
	default:
		return // the next poll asks again
	}
	node.busy = true
	p.running.Go(func() {
		defer func() { <-p.slots }()
		p.probe(k, stale, observer, p.electionTimeout(k))
	})
}

func (p *probes) probe(k key, wantMembership, observer bool, electionTimeout time.Duration) {
	var membership *pb.Membership
	var err error
	if wantMembership {
		membership, err = readMembership(p.ctx, p.nodehost, k.cluster)
	}
	caughtUp := observer && raftread.Ready(p.ctx, p.nodehost, k.cluster, electionTimeout)

	p.mu.Lock()
	defer p.mu.Unlock()
	node := p.node(k)
	node.busy = false
	if err != nil || observer {
		node.notBefore = time.Now().Add(probePause)
	}
	news := caughtUp != node.caughtUp
	node.caughtUp = caughtUp
	if membership.GetConfigChangeId() > node.membership.GetConfigChangeId() {
		node.membership = membership
		news = true
	}
	if news {
		p.changed()
	}
}

// node returns the record of a node, made on first use. p.mu is held.
func (p *probes) node(k key) *probe {
	node := p.nodes[k]
	if node == nil {
		node = &probe{}
		p.nodes[k] = node
	}
	return node
}

// drop forgets a node that doesn't run any more.
func (p *probes) drop(k key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if node := p.nodes[k]; node != nil && !node.busy {
		delete(p.nodes, k)
	}
}

// learn remembers a membership that a config change's result brought.
func (p *probes) learn(k key, membership *pb.Membership) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if node := p.nodes[k]; node != nil && membership.GetConfigChangeId() > node.membership.GetConfigChangeId() {
		node.membership = membership
	}
}

// started remembers what a node was started with.
func (p *probes) started(k key, electionRTT, raftDigest uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	node := p.node(k)
	node.electionRTT, node.raftDigest = electionRTT, raftDigest
}

// raftDigest is that of the Raft configuration that a node was started with; 0
// when the agent did not start it.
func (p *probes) raftDigest(k key) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if node := p.nodes[k]; node != nil {
		return node.raftDigest
	}
	return 0
}

func (p *probes) membership(k key) *pb.Membership {
	p.mu.Lock()
	defer p.mu.Unlock()
	if node := p.nodes[k]; node != nil {
		return node.membership
	}
	return nil
}

func (p *probes) ccid(k key) uint64 { return p.membership(k).GetConfigChangeId() }

func (p *probes) caughtUp(k key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.nodes[k] != nil && p.nodes[k].caughtUp
}

// electionTimeout of a node: what it was started with, or the default. p.mu is
// held.
func (p *probes) electionTimeout(k key) time.Duration {
	rtt := p.nodes[k].electionRTT
	if rtt == 0 {
		rtt = raftspec.DefaultElectionRTT
	}
	return time.Duration(rtt) * tick(p.nodehost)
}

// tick is the NodeHost's RTT, Dragonboat's unit of logical time.
func tick(nodehost *dragonboat.NodeHost) time.Duration {
	return time.Duration(nodehost.NodeHostConfig().RTTMillisecond) * time.Millisecond
}

// A read is given readRTTs of the NodeHost's RTT, and leastReadTimeout.
const (
	readRTTs         = 10
	leastReadTimeout = 2 * time.Second
)

// readTimeout is how long the agent waits for a cluster with a leader to answer
// a read: a few heartbeats of it, whatever the RTT.
func readTimeout(nodehost *dragonboat.NodeHost) time.Duration {
	return max(leastReadTimeout, readRTTs*tick(nodehost))
}

// readMembership reads a cluster's membership, linearizably.
func readMembership(ctx context.Context, nodehost *dragonboat.NodeHost, clusterID uint64) (*pb.Membership, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout(nodehost))
	defer cancel()
	m, err := nodehost.SyncGetClusterMembership(ctx, clusterID)
	if err != nil {
		return nil, err
	}
	out := &pb.Membership{
		ClusterId:      clusterID,
		ConfigChangeId: m.ConfigChangeID,
		Voters:         m.Nodes,
		Observers:      m.Observers,
		Witnesses:      m.Witnesses,
	}
	for k := range m.Removed {
		out.Removed = append(out.Removed, k)
	}
	slices.Sort(out.Removed)
	return out, nil
}

// retryMembership is readMembership again and again for twice the time that it
// gives a cluster with a leader: an election may be under way, for instance
// because the leader was just removed.
func retryMembership(ctx context.Context, nodehost *dragonboat.NodeHost, clusterID uint64) (*pb.Membership, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*readTimeout(nodehost))
	defer cancel()
	for {
		m, err := readMembership(ctx, nodehost, clusterID)
		if err == nil || errors.Is(err, dragonboat.ErrClusterNotFound) || errors.Is(err, dragonboat.ErrClosed) {
			return m, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(2 * tick(nodehost)):
		}
	}
}
