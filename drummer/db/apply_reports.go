// SPDX-License-Identifier: Apache-2.0

package db

import (
	"slices"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// forgetGoneAfter is how many ticks a gone host without any node stays listed.
const forgetGoneAfter = 600

// tick moves the clock, notes who is heard of again and who is not any more, and ends
// what is overdue.
func (e *edit) tick(cmd *pb.Tick) {
	e.s.Tick++
	e.s.TTL = min(cmd.GetTimeToLive(), MaxDeadlineTicks)
	for _, id := range cmd.GetHeard() {
		if h := e.currentHost(id); h != nil {
			e.heard(h)
			if h.Unconfirmed {
				e.needFullState(id)
			}
		} else {
			e.meetAgain(id)
		}
	}
	for _, silent := range cmd.GetSilent() {
		if h := e.currentHost(silent.GetNodehostId()); h != nil {
			e.silence(h, silent.GetTicks())
		}
	}
	e.noteDisks(cmd.GetDisks())
	for _, op := range e.s.Operations.All() {
		if op.DeadlineTick <= e.s.Tick {
			e.closeOperation(op, unknown, operationEvent(pb.EventOperationExpired, op), "had no result within its time, so nobody knows")
		}
	}
	e.age()
}

func (e *edit) needFullState(id string) {
	if !slices.Contains(e.result.NeedFullState, id) {
		e.result.NeedFullState = append(e.result.NeedFullState, id)
	}
}

func (e *edit) reports(cmd *pb.HostReports) {
	for _, r := range cmd.GetReports() {
		e.report(r)
	}
}

// report takes in what one host says.
func (e *edit) report(r *pb.HostReport) {
	id := r.GetHost().GetNodehostId()
	var h *Host
	if r.GetFull() {
		if err := ValidateHost(r.GetHost()); err != nil {
			e.note("A report was left out: %s.", err)
			return
		}
		if h = e.meetHost(r.GetHost()); h == nil {
			return
		}
		listed := map[[2]uint64]bool{}
		for _, n := range r.GetNodes() {
			listed[[2]uint64{n.GetClusterId(), n.GetNodeId()}] = true
		}
		e.dropReplicas(h, func(c *Cluster, r *Replica) bool { return listed[[2]uint64{c.ID, r.NodeID}] })
	} else if h = e.currentHost(id); h == nil {
		e.meetAgain(id)
		return
	}
	e.heard(h)
	for _, n := range r.GetNodes() {
		e.reportNode(h, n)
	}
	for _, k := range r.GetGone() {
		if c := e.cluster(k.GetClusterId()); c != nil {
			e.dropReplica(c, k.GetNodeId(), h.ID())
		}
	}
}

// meetAgain asks a host for its full state that speaks and is not known, or gone:
// unless another one has its address.
func (e *edit) meetAgain(id string) {
	if h := e.host(id); h == nil || !e.contested(h, h.Address()) {
		e.needFullState(id)
	}
}

// contested reports whether a gone host claims an address whose owner is heard of,
// and logs that once. A disk that was lost does not speak: these are two machines
// with one RaftAddress. The one that came last keeps it, for to change back and
// forth would have the nodes of each replaced in turn, until it falls silent for
// its time to live.
func (e *edit) contested(h *Host, address string) bool {
	owner := e.host(e.s.Addresses.At(address))
	if !h.Gone || owner == nil || owner.Dead || e.s.TTL > 0 && e.s.Silence(owner) >= e.s.TTL {
		return false
	}
	if e.s.Tick <= h.GoneSince+1 {
		return true // its last word before it went
	}
	if h.Spoke == 0 || e.s.Tick-h.Spoke > forgetGoneAfter {
		e.event(&pb.Event{Kind: pb.EventHostContested, NodehostId: h.ID()},
			"host %s, which was taken for gone, speaks as %s although %s does so too: these are two machines with one RaftAddress; the address stays with %s, and the nodes on %s are replaced, until one of the two is stopped",
			h.ID(), address, owner.ID(), owner.ID(), h.ID())
	}
	h.Spoke = e.s.Tick
	return true
}

// meetHost records who a host is, and that every other host of its address
// has lost its disk; nil: it is the host that has to wait.
func (e *edit) meetHost(info *pb.NodeHostInfo) *Host {
	id := info.NodehostId
	h := e.host(id)
	if h != nil && e.contested(h, info.RaftAddress) {
		return nil
	}
	if h == nil {
		h = &Host{Info: &pb.NodeHostInfo{NodehostId: id, RaftAddress: info.RaftAddress}, UpSince: e.s.Tick}
		e.hosts[id] = h
		e.event(&pb.Event{Kind: pb.EventHostJoined, NodehostId: id},
			"host %s joined at %s, region %q", id, info.RaftAddress, info.Region)
	}
	if old := h.Address(); old != info.RaftAddress && e.s.Addresses.At(old) == id {
		e.s.Addresses = e.s.Addresses.Delete(old)
	}
	if other := e.host(e.s.Addresses.At(info.RaftAddress)); other != nil && other != h {
		e.loseHost(other, info)
		e.inherit(h, other)
	}
	switch was, is := h.Info.GetSick(), info.GetSick(); {
	case was == is:
	case is != "":
		e.event(&pb.Event{Kind: pb.EventHostSick, NodehostId: id}, "host %s at %s is sick and is given no new nodes: %s", id, info.RaftAddress, is)
	default:
		e.event(&pb.Event{Kind: pb.EventHostSick, NodehostId: id}, "host %s at %s is well again", id, info.RaftAddress)
	}
	h.Info, h.Gone, h.GoneSince, h.Spoke, h.Unconfirmed = info, false, 0, 0, false
	e.s.Addresses = e.s.Addresses.Set(info.RaftAddress, id)
	return h
}

// inherit gives a host what somebody decided about the former one of its address.
func (e *edit) inherit(h, former *Host) {
	if h.Mode != former.Mode {
		h.Mode = former.Mode
		e.event(&pb.Event{Kind: pb.EventHostMode, NodehostId: h.ID()},
			"host %s is set to %s, as %s was at the same address", h.ID(), h.Mode, former.ID())
	}
}

func (e *edit) loseHost(h *Host, by *pb.NodeHostInfo) {
	h.Gone, h.GoneSince = true, e.s.Tick
	e.silence(h, 0)
	e.dropReplicas(h, func(*Cluster, *Replica) bool { return false })
	e.dropDoubtful(h)
	e.event(&pb.Event{Kind: pb.EventHostGone, NodehostId: h.ID()},
		"host %s is gone for good: %s reports as %s now", h.ID(), by.RaftAddress, by.NodehostId)
}

// reportNode takes in what a host says about one of its nodes.
func (e *edit) reportNode(h *Host, n *pb.NodeReport) {
	if n.GetClusterId() == 0 || !validNodeID(n.GetNodeId()) {
		e.note("Host %s reports node %d of cluster %d, which can't be.", h.ID(), n.GetNodeId(), n.GetClusterId())
		return
	}
	c := e.clusterOrNew(n.ClusterId)
	r := Replica{NodeID: n.NodeId, HostID: h.ID()}
	if old := c.Replica(n.NodeId, h.ID()); old != nil {
		r = *old
	}
	r.Reported = ReportedBy(n, e.s.Version)
	// Most memberships are the one that is known.
	news := n.Membership != nil && !c.Image.is(c.ID, n.Membership)
	var image Image
	var err error
	if n.Membership != nil {
		r.CCID = n.Membership.GetConfigChangeId()
		if news {
			image, err = imageOf(c.ID, n.Membership)
		} else {
			image = c.Image
		}
		e.judgeReplica(c, &r, &image, err)
	}
	leader := c.Leader
	e.putReplica(c, r)
	e.matchNode(c, h, r)
	if news {
		e.mergeImage(c, image, err)
	}
	if c.Leader != leader && c.Leader != 0 {
		e.settleTransfer(c)
	}
}

// matchNode brings a placed node up to date with what its host reports of it.
func (e *edit) matchNode(c *Cluster, h *Host, r Replica) {
	n := c.Node(r.NodeID)
	if n == nil || n.Address != h.Address() {
		return
	}
	if n.HostID == "" {
		n.HostID = h.ID()
		h.Placed++
		e.changed(c)
	}
	if n.HostID != h.ID() {
		return
	}
	if !n.Started {
		n.Started = true
		e.changed(c)
	}
	if r.Running && n.Start != (Attempt{}) {
		op := e.s.Operations.At(n.Start.Operation)
		if op.GetRequest().GetRestart() {
			return // it may not have stopped yet, or not be back to its work
		}
		if op != nil {
			e.closeOperation(op, done, operationEvent(pb.EventOperationEnded, op), "is done, the node is reported running")
			n.RanSince = e.s.Tick
		}
		n.Start = Attempt{}
		e.changed(c)
	}
}

// settleTransfer ends a transfer of leadership once the new leader is known.
func (e *edit) settleTransfer(c *Cluster) {
	op := e.s.Operations.At(c.Config.Operation)
	if op == nil {
		c.Config.Failures = 0
	} else if op.Request.Kind == pb.RequestKind_TRANSFER_LEADER && op.Request.NodeId == c.Leader {
		e.closeOperation(op, done, operationEvent(pb.EventOperationEnded, op), "is done, the node is reported as leader")
	}
}
