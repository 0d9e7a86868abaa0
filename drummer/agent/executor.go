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
	pending map[uint64]bool          // operation ids queued or under way
	term    uint64                   // the highest leader term seen
	results []*pb.RequestResult
}

func newExecutor(ctx context.Context, agent *Agent) *executor {
	return &executor{
		ctx:     ctx,
		agent:   agent,
		slots:   make(chan struct{}, maxParallel),
		queues:  map[uint64][]*pb.Request{},
		pending: map[uint64]bool{},
	}
}

func (e *executor) wait() { e.workers.Wait() }

// submit takes a request. What is queued or under way already is not taken
// twice; what was carried out before is carried out again, which reports what
// holds by then.
func (e *executor) submit(req *pb.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pending[req.GetOperationId()] {
		return
	}
	if refused := e.fence(req); refused != nil {
		e.finish(refused)
		return
	}
	e.pending[req.GetOperationId()] = true
	queue, draining := e.queues[req.GetClusterId()]
	e.queues[req.GetClusterId()] = append(queue, req)
	if !draining {
		e.workers.Go(func() { e.drain(req.GetClusterId()) })
	}
}

// fence refuses what this NodeHost must not carry out. e.mu is held.
func (e *executor) fence(req *pb.Request) *pb.RequestResult {
	own, deployment := e.agent.nodehost.ID(), e.agent.deployment.get()
	switch {
	case req.GetNodehostId() != own:
		return refused(req, "this is NodeHost %s, the request is for %s", own, req.GetNodehostId())
	case req.GetDeploymentId() != deployment:
		return refused(req, "this NodeHost belongs to deployment %d, the request comes from %d", deployment, req.GetDeploymentId())
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
		delete(e.pending, req.GetOperationId())
		e.finish(result)
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
	a := e.agent
	a.log.Debug("request", "operation", req.GetOperationId(), "kind", req.GetKind(), "cluster", req.GetClusterId(), "node", req.GetNodeId())
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
	a.log.Info("request carried out", "operation", req.GetOperationId(), "kind", req.GetKind(),
		"cluster", req.GetClusterId(), "node", req.GetNodeId(), "code", result.GetCode(), "detail", result.GetDetail())
	return result
}

// finish keeps a result until a stream takes it. e.mu is held.
func (e *executor) finish(result *pb.RequestResult) {
	e.results = append(e.results, result)
	e.agent.config.Listener.notify()
}

// takeResults returns the results that wait. What a stream takes and fails to
// deliver is not offered again: the server pushes an open operation anew to
// each stream, and gets a new answer.
func (e *executor) takeResults() []*pb.RequestResult {
	e.mu.Lock()
	defer e.mu.Unlock()
	results := e.results
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
