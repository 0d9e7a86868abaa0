// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"fmt"
	"sync"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// executor carries requests out: those of one cluster one after the other,
// clusters in parallel, at most maxParallel at a time. Results wait here until
// a stream takes them.
type executor struct {
	ctx     context.Context
	agent   *Agent
	slots   chan struct{}
	workers sync.WaitGroup

	mu      sync.Mutex
	queues  map[uint64][]*pb.Request // by ClusterID; present while a worker drains it
	pending map[operation]bool       // queued or under way
	epoch   uint64                   // of the deployment that term belongs to
	term    uint64                   // the highest leader term seen
	results []outcome
}

// operation names what a request is for. DrummerDBs number their operations from
// 1 each, so the epoch belongs to it.
type operation struct{ epoch, id uint64 }

func operationOf(req *pb.Request) operation {
	return operation{req.GetDeploymentEpoch(), req.GetOperationId()}
}

// outcome is a result that waits, of a request that came from an epoch.
type outcome struct {
	epoch  uint64
	result *pb.RequestResult
}

func newExecutor(ctx context.Context, agent *Agent) *executor {
	return &executor{
		ctx:     ctx,
		agent:   agent,
		slots:   make(chan struct{}, maxParallel),
		queues:  map[uint64][]*pb.Request{},
		pending: map[operation]bool{},
	}
}

func (e *executor) wait() { e.workers.Wait() }

// submit takes a request. What is queued or under way already is not taken
// twice; what was carried out before is carried out again, which reports what
// holds by then.
func (e *executor) submit(req *pb.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pending[operationOf(req)] {
		return
	}
	if refused := e.fence(req); refused != nil {
		e.finish(req, refused)
		return
	}
	e.pending[operationOf(req)] = true
	queue, draining := e.queues[req.GetClusterId()]
	e.queues[req.GetClusterId()] = append(queue, req)
	if !draining {
		e.workers.Go(func() { e.drain(req.GetClusterId()) })
	}
}

// fence refuses what this NodeHost must not carry out. e.mu is held.
func (e *executor) fence(req *pb.Request) *pb.RequestResult {
	own := e.agent.nodehost.ID()
	if epoch := e.agent.deployment.get().epoch; epoch != e.epoch {
		e.epoch, e.term = epoch, 0 // new servers begin to count terms anew
	}
	switch stale := e.ofAnotherDeployment(req); {
	case req.GetNodehostId() != own:
		return refused(req, "this is NodeHost %s, the request is for %s", own, req.GetNodehostId())
	case stale != nil:
		return stale
	case req.GetLeaderTerm() < e.term:
		return refused(req, "the request comes from Drummer's term %d, term %d has been seen", req.GetLeaderTerm(), e.term)
	case req.GetClusterId() == 0 || req.GetNodeId() == 0:
		return refused(req, "a request needs a cluster and a node, this one has cluster %d and node %d", req.GetClusterId(), req.GetNodeId())
	case len(e.pending) >= maxQueued:
		return failed(req, "%d requests wait already", len(e.pending))
	}
	e.term = req.GetLeaderTerm()
	return nil
}

// ofAnotherDeployment refuses a request that other servers sent than those which
// this NodeHost belongs to now.
func (e *executor) ofAnotherDeployment(req *pb.Request) *pb.RequestResult {
	own := e.agent.deployment.get()
	switch from := (identity{req.GetDeploymentId(), req.GetDeploymentEpoch()}); {
	case from == own:
		return nil
	case from.id != own.id:
		return refused(req, "this NodeHost belongs to deployment %d, the request comes from %d", own.id, from.id)
	default:
		return refused(req, "this NodeHost belongs to epoch %d of deployment %d, the request comes from epoch %d", own.epoch, own.id, from.epoch)
	}
}

// drain carries out a cluster's requests until there are none.
func (e *executor) drain(clusterID uint64) {
	for {
		select {
		case e.slots <- struct{}{}:
		case <-e.ctx.Done():
			return
		}
		req := e.next(clusterID)
		if req == nil {
			<-e.slots
			return
		}
		result := e.carryOut(req)
		<-e.slots
		e.mu.Lock()
		delete(e.pending, operationOf(req))
		e.finish(req, result)
		e.mu.Unlock()
	}
}

func (e *executor) next(clusterID uint64) *pb.Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	queue := e.queues[clusterID]
	if len(queue) == 0 {
		delete(e.queues, clusterID)
		return nil
	}
	e.queues[clusterID] = queue[1:]
	return queue[0]
}

func (e *executor) carryOut(req *pb.Request) *pb.RequestResult {
	if stale := e.ofAnotherDeployment(req); stale != nil {
		return stale // it was queued before the NodeHost was adopted
	}
	a := e.agent
	a.log.Debug("request", "operation", req.GetOperationId(), "kind", req.GetKind(), "cluster", req.GetClusterId(), "node", req.GetNodeId())
	a.config.OnRequest(req, nil)
	var result *pb.RequestResult
	switch req.GetKind() {
	case pb.RequestKind_START_NODE:
		result = a.startNode(e.ctx, req)
	case pb.RequestKind_ADD_OBSERVER, pb.RequestKind_PROMOTE, pb.RequestKind_REMOVE_NODE:
		result = a.changeMembership(e.ctx, req)
	case pb.RequestKind_DESTROY_NODE:
		result = a.destroyNode(e.ctx, req)
	case pb.RequestKind_TRANSFER_LEADER:
		result = a.transferLeader(e.ctx, req)
	default:
		result = refused(req, "this agent knows no request kind %v; it may be older than the server", req.GetKind())
	}
	a.config.OnRequest(req, result)
	a.log.Info("request carried out", "operation", req.GetOperationId(), "kind", req.GetKind(),
		"cluster", req.GetClusterId(), "node", req.GetNodeId(), "code", result.GetCode(), "detail", result.GetDetail())
	return result
}

// finish keeps a result until a stream takes it. e.mu is held.
func (e *executor) finish(req *pb.Request, result *pb.RequestResult) {
	e.results = append(e.results, outcome{req.GetDeploymentEpoch(), result})
	e.agent.config.Listener.notify()
}

// takeResults returns the results that wait for servers of an epoch; no others
// would know what they are about, and they are dropped. What a stream takes and
// fails to deliver is not offered again: the server pushes an open operation anew
// to each stream, and gets a new answer.
func (e *executor) takeResults(epoch uint64) []*pb.RequestResult {
	e.mu.Lock()
	defer e.mu.Unlock()
	var results []*pb.RequestResult
	for _, o := range e.results {
		if o.epoch == epoch {
			results = append(results, o.result)
		}
	}
	e.results = nil
	return results
}

func done(req *pb.Request, detail string) *pb.RequestResult {
	return &pb.RequestResult{OperationId: req.GetOperationId(), Code: pb.ResultCode_DONE, Detail: detail}
}

func refused(req *pb.Request, format string, args ...any) *pb.RequestResult {
	return &pb.RequestResult{OperationId: req.GetOperationId(), Code: pb.ResultCode_REFUSED, Detail: fmt.Sprintf(format, args...)}
}

func failed(req *pb.Request, format string, args ...any) *pb.RequestResult {
	return &pb.RequestResult{OperationId: req.GetOperationId(), Code: pb.ResultCode_FAILED, Detail: fmt.Sprintf(format, args...)}
}

func unknown(req *pb.Request, format string, args ...any) *pb.RequestResult {
	return &pb.RequestResult{OperationId: req.GetOperationId(), Code: pb.ResultCode_UNKNOWN, Detail: fmt.Sprintf(format, args...)}
}
