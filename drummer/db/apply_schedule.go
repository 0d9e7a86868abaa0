// SPDX-License-Identifier: Apache-2.0

package db

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// schedule puts decisions in flight. Each operation is checked by itself
// against the state as it is now; one whose cluster has changed since the
// decision, or which can't be right, is dropped with an event and does not
// keep the others from being accepted.
func (e *edit) schedule(cmd *pb.Schedule) {
	if cmd.GetDecidedAtIndex() >= e.s.Index {
		e.refuse(pb.CommandCode_INVALID, "a decision from index %d can't be applied at index %d",
			cmd.GetDecidedAtIndex(), e.s.Index)
		return
	}
	for _, proposed := range cmd.GetOperations() {
		op := e.prepare(cmd, proposed)
		if err := e.accept(cmd, op); err != nil {
			e.result.Dropped++
			e.event(operationEvent(pb.EventOperationDropped, op),
				"%s was not begun: %s", Describe(op.Request), err)
			continue
		}
		e.s.NextOperationID++
		e.s.Operations = e.s.Operations.Set(op.Id, op)
		e.result.Accepted++
		e.event(operationEvent(pb.EventOperationPlanned, op),
			"operation %d: %s, because %s", op.Id, Describe(op.Request), op.Reason)
	}
}

// prepare copies a proposed operation and fills in what DrummerDB decides.
func (e *edit) prepare(cmd *pb.Schedule, proposed *pb.Operation) *pb.Operation {
	op := &pb.Operation{Request: &pb.Request{}}
	if proposed != nil {
		op = proto.Clone(proposed).(*pb.Operation)
	}
	if op.Request == nil {
		op.Request = &pb.Request{}
	}
	op.Id = e.s.NextOperationID
	op.DecidedAtIndex = cmd.GetDecidedAtIndex()
	r := op.Request
	r.OperationId = op.Id
	r.DeploymentId = e.s.DeploymentID
	r.DeploymentEpoch = e.s.DeploymentEpoch
	r.LeaderTerm = e.s.Term
	r.Spec = nil
	r.ClusterDeleted = false
	r.Restart = r.Restart && r.Kind == pb.RequestKind_START_NODE && e.s.Version >= 2
	op.Reason = shorten(op.Reason)
	return op
}

// accept records an operation in its cluster, or returns why it can't begin.
func (e *edit) accept(cmd *pb.Schedule, op *pb.Operation) error {
	r := op.Request
	base := e.base.Clusters.At(r.ClusterId)
	switch {
	case base == nil:
		return errors.New("there is no such cluster")
	case base.Spec == nil && (!base.Deleted || r.Kind != pb.RequestKind_DESTROY_NODE):
		return errors.New("the cluster is not Drummer's")
	case e.s.Paused:
		return errors.New("a pause was ordered")
	case base.ChangedAt > cmd.GetDecidedAtIndex():
		return fmt.Errorf("the cluster changed at index %d, after the decision at %d",
			base.ChangedAt, cmd.GetDecidedAtIndex())
	case !e.s.Launched:
		return errors.New("the deployment is not launched")
	case base.Foreigner() != nil && r.Kind != pb.RequestKind_DESTROY_NODE:
		return errors.New("somebody runs another Raft group under its ID")
	case op.DeadlineTick <= e.s.Tick || op.DeadlineTick-e.s.Tick > MaxDeadlineTicks:
		return fmt.Errorf("its deadline, tick %d, is not ahead of tick %d", op.DeadlineTick, e.s.Tick)
	case e.currentHost(r.NodehostId) == nil:
		return fmt.Errorf("host %q is unknown or gone", r.NodehostId)
	}
	c := e.cluster(r.ClusterId)
	switch r.Kind {
	case pb.RequestKind_START_NODE:
		return e.acceptStart(c, op)
	case pb.RequestKind_DESTROY_NODE:
		return e.acceptDestroy(c, op)
	case pb.RequestKind_ADD_OBSERVER, pb.RequestKind_PROMOTE,
		pb.RequestKind_REMOVE_NODE, pb.RequestKind_TRANSFER_LEADER:
		return e.acceptConfig(c, op)
	default:
		return fmt.Errorf("there is no operation of kind %d", r.Kind)
	}
}

// begin puts an operation in flight as the next try of an attempt.
func (e *edit) begin(c *Cluster, a *Attempt, op *pb.Operation) {
	op.Attempt = a.Failures
	a.Operation = op.Id
	e.changed(c)
}

func (e *edit) acceptStart(c *Cluster, op *pb.Operation) error {
	r := op.Request
	if r.Join == pb.JoinMode_INITIAL && r.NodeId >= c.NextNodeID {
		if err := e.place(c, r); err != nil {
			return err
		}
	}
	n := c.Node(r.NodeId)
	switch {
	case n == nil:
		return errors.New("the node was never placed")
	case n.HostID != r.NodehostId:
		return fmt.Errorf("the node lives on host %s", n.HostID)
	case n.Join != r.Join:
		return fmt.Errorf("the node joined as %s", n.Join)
	case n.Start.InFlight():
		return fmt.Errorf("operation %d starts it already", n.Start.Operation)
	case c.Image.CCID != 0 && c.Image.Member(n.ID) == nil:
		return errors.New("the node is no member")
	}
	r.Spec = c.Spec
	r.InitialMembers = nil
	if n.Join == pb.JoinMode_INITIAL {
		r.InitialMembers = map[uint64]string{}
		for _, m := range c.Initial {
			r.InitialMembers[m.NodeID] = m.Address
		}
	}
	n.Asked = true
	switch {
	case r.Restart: // it did not stop by itself
	case n.countStop(e.s.Tick):
		n.Stops++
	default:
		n.Stops = 0
	}
	e.begin(c, &n.Start, op)
	return nil
}

// soonTicks is how long after its start a node's stops are forgotten. Longer than any
// wait between two starts (see schedule.Policy), or the waiting would do that.
const soonTicks = 600

// countStop reports whether a node that is to be started at a tick has stopped soon
// after it was last started. A start that failed is no stop.
func (n *Node) countStop(tick uint64) bool {
	return n.RanSince != 0 && (n.Start.Failures > 0 || tick-n.RanSince < soonTicks)
}

// Unformed reports whether nothing can ever have been committed to the cluster:
// it was never placed, or fewer than a majority of the members it was placed
// with can ever have run. (The first to start reports the membership that all
// are started with, so a membership by itself does not show that.) Its placement
// may be given up.
func (c *Cluster) Unformed() bool {
	if len(c.Initial) == 0 {
		return len(c.Nodes) == 0 && c.Image.CCID == 0
	}
	asked := 0
	for _, m := range c.Initial {
		if n := c.Node(m.NodeID); n == nil || n.Asked {
			asked++
		}
	}
	return c.Image.CCID <= uint64(len(c.Initial)) && asked < Quorum(len(c.Initial))
}

// place records where a new cluster's first members live: all of them, or
// none. The first operation of a launch carries the whole placement. A former
// placement that came to nothing is given up: what was started of it becomes
// a zombie.
func (e *edit) place(c *Cluster, r *pb.Request) error {
	nodes, initial, err := e.placement(c, r)
	if err != nil {
		return err
	}
	e.endLife(c)
	c.Initial = initial
	for _, n := range nodes {
		e.addNode(c, n)
	}
	e.event(&pb.Event{Kind: pb.EventClusterPlaced, ClusterId: c.ID},
		"cluster %d was placed: %s", c.ID, &Image{Members: initial})
	return nil
}

// placement reads the nodes that a launch places, or returns why it can't be.
func (e *edit) placement(c *Cluster, r *pb.Request) ([]Node, []Member, error) {
	size := uint64(c.Spec.Size)
	switch {
	case !c.Unformed():
		return nil, nil, errors.New("the cluster is placed already")
	case uint64(len(r.InitialMembers)) != size:
		return nil, nil, fmt.Errorf("%d members were placed, the size is %d", len(r.InitialMembers), size)
	case r.NodeId >= c.NextNodeID+size || !validNodeID(c.NextNodeID+size):
		return nil, nil, fmt.Errorf("node %d is none of the members placed", r.NodeId)
	}
	var nodes []Node
	var initial []Member
	for id := c.NextNodeID; id < c.NextNodeID+size; id++ {
		address, ok := r.InitialMembers[id]
		h := e.currentHost(e.s.Addresses.At(address))
		switch {
		case !ok:
			return nil, nil, fmt.Errorf("there is no address for node %d", id)
		case h == nil:
			return nil, nil, fmt.Errorf("no host is known at %q", address)
		case slices.ContainsFunc(initial, func(m Member) bool { return m.Address == address }):
			return nil, nil, fmt.Errorf("two members were placed at %q", address)
		}
		initial = append(initial, Member{NodeID: id, Address: address, Role: pb.MemberRole_VOTER})
		nodes = append(nodes, Node{ID: id, HostID: h.ID(), Address: address, Join: pb.JoinMode_INITIAL})
	}
	return nodes, initial, nil
}

func (e *edit) acceptConfig(c *Cluster, op *pb.Operation) error {
	r := op.Request
	switch {
	case c.Image.CCID == 0:
		return errors.New("no membership is known")
	case c.Image.CCID != r.ConfigChangeId:
		return fmt.Errorf("the membership is %d, not %d", c.Image.CCID, r.ConfigChangeId)
	case c.Config.InFlight():
		return fmt.Errorf("operation %d changes the membership already", c.Config.Operation)
	}
	if err := e.acceptChange(c, r); err != nil {
		return err
	}
	e.begin(c, &c.Config, op)
	return nil
}

// acceptChange checks a membership change against the image, and records the
// node that an ADD_OBSERVER places.
func (e *edit) acceptChange(c *Cluster, r *pb.Request) error {
	member := c.Image.Member(r.NodeId)
	if r.Kind == pb.RequestKind_ADD_OBSERVER {
		return e.acceptObserver(c, r)
	}
	if member == nil {
		return errors.New("the node is no member")
	}
	r.TargetAddress = member.Address
	switch r.Kind {
	case pb.RequestKind_PROMOTE:
		if member.Role != pb.MemberRole_OBSERVER {
			return errors.New("the node is no observer")
		}
	case pb.RequestKind_REMOVE_NODE:
		if Voting(member.Role) && c.Image.Voters() == 1 {
			return errors.New("the node is the last voter")
		}
	case pb.RequestKind_TRANSFER_LEADER:
		if member.Role != pb.MemberRole_VOTER {
			return errors.New("the node can't lead")
		}
	}
	return nil
}

func (e *edit) acceptObserver(c *Cluster, r *pb.Request) error {
	target := e.currentHost(e.s.Addresses.At(r.TargetAddress))
	switch {
	case r.NodeId != c.NextNodeID || !validNodeID(r.NodeId):
		return fmt.Errorf("the next node of the cluster is %d", c.NextNodeID)
	case target == nil:
		return fmt.Errorf("no host is known at %q", r.TargetAddress)
	case c.Image.HasAddress(r.TargetAddress):
		return fmt.Errorf("there is a member at %s already", r.TargetAddress)
	}
	e.addNode(c, Node{
		ID:       r.NodeId,
		HostID:   target.ID(),
		Address:  r.TargetAddress,
		Join:     pb.JoinMode_JOIN_AS_OBSERVER,
		Fence:    r.ConfigChangeId,
		Relieves: r.Relieves,
	})
	return nil
}

func (e *edit) acceptDestroy(c *Cluster, op *pb.Operation) error {
	r := op.Request
	x := c.Replica(r.NodeId, r.NodehostId)
	switch {
	case x == nil:
		return errors.New("the host reports no such node")
	case x.Destroy.InFlight():
		return fmt.Errorf("operation %d removes it already", x.Destroy.Operation)
	case !c.Zombie(x):
		return errors.New("the node is a member, or may become one")
	case r.ConfigChangeId != c.Image.CCID:
		return fmt.Errorf("the membership is %d, not %d", c.Image.CCID, r.ConfigChangeId)
	}
	// The node may be a member of a cluster that is no more: its own word on
	// that counts for nothing.
	r.ClusterDeleted = c.Deleted || r.NodeId < c.FirstNodeID
	e.begin(c, &x.Destroy, op)
	return nil
}

// Zombie reports whether a replica certainly has no business being there: it
// was removed, belongs to a former life of the cluster, or knows only an
// older membership than the image, in which neither it nor a node placed
// meanwhile appears.
func (c *Cluster) Zombie(r *Replica) bool {
	switch {
	case r.Foreign:
		return false
	case r.NodeID < c.FirstNodeID || c.Image.HasRemoved(r.NodeID):
		return true
	case c.Image.CCID == 0 || c.Image.Member(r.NodeID) != nil || c.Node(r.NodeID) != nil:
		return false
	default:
		return r.CCID != 0 && r.CCID < c.Image.CCID
	}
}

// Describe is in a few words what a request asks for.
func Describe(r *pb.Request) string {
	id, cluster := r.GetNodeId(), r.GetClusterId()
	switch r.GetKind() {
	case pb.RequestKind_START_NODE:
		if r.Restart {
			return fmt.Sprintf("restart node %d of cluster %d on %s", id, cluster, r.NodehostId)
		}
		return fmt.Sprintf("start node %d of cluster %d on %s (%s)", id, cluster, r.NodehostId, r.Join)
	case pb.RequestKind_ADD_OBSERVER:
		return fmt.Sprintf("add node %d at %s to cluster %d as observer, at ccid %d, by %s",
			id, r.TargetAddress, cluster, r.ConfigChangeId, r.NodehostId)
	case pb.RequestKind_PROMOTE:
		return fmt.Sprintf("promote node %d of cluster %d, at ccid %d, by %s",
			id, cluster, r.ConfigChangeId, r.NodehostId)
	case pb.RequestKind_REMOVE_NODE:
		return fmt.Sprintf("remove node %d from cluster %d, at ccid %d, by %s",
			id, cluster, r.ConfigChangeId, r.NodehostId)
	case pb.RequestKind_DESTROY_NODE:
		return fmt.Sprintf("destroy what is left of node %d of cluster %d on %s", id, cluster, r.NodehostId)
	case pb.RequestKind_TRANSFER_LEADER:
		return fmt.Sprintf("transfer leadership of cluster %d to node %d, by %s", cluster, id, r.NodehostId)
	default:
		return fmt.Sprintf("request of kind %d to cluster %d", int32(r.GetKind()), cluster)
	}
}
