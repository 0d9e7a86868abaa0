// SPDX-License-Identifier: Apache-2.0

package model

import (
	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// decided is one operation of a plan, as the state it was decided on has it. What
// Drummer promises of each is checked by the records of DrummerDB and by the truth,
// not by what the packages of the scheduler make of them: a rule that is missing there
// is not missing here.
type decided struct {
	*Fleet
	from    *db.State
	cluster *db.Cluster
	request *pb.Request
	voters  []db.Member
	sure    int // of voters
}

// checkPromises judges the operations of a plan before they are written.
func (w *Fleet) checkPromises(from *db.State, plan schedule.Plan) {
	for _, op := range plan.Operations {
		d := &decided{Fleet: w, from: from, cluster: from.Clusters.At(op.Request.ClusterId), request: op.Request}
		for _, m := range d.members() {
			if !db.Voting(m.Role) {
				continue
			}
			d.voters = append(d.voters, m)
			if d.isSure(m) {
				d.sure++
			}
		}
		d.check()
	}
}

func (d *decided) check() {
	switch r := d.request; r.Kind {
	case pb.RequestKind_ADD_OBSERVER:
		d.quorumIsSure(len(d.voters))
		d.proposerIsSure()
		d.isFirst(r.TargetAddress)
		d.fusesAreWhole()
	case pb.RequestKind_PROMOTE:
		d.hasCaughtUp()
		d.proposerIsSure()
		if d.sure < len(d.voters) { // a single voter is always bound by a second one
			d.quorumIsSure(len(d.voters) + 1)
		}
	case pb.RequestKind_REMOVE_NODE:
		d.quorumIsSure(len(d.voters))
		d.proposerIsSure()
		if m := d.member(r.NodeId); m != nil && db.Voting(m.Role) {
			d.observerCameFirst(*m)
			d.quorumIsSureWithout(*m, len(d.voters)-1)
		}
	case pb.RequestKind_TRANSFER_LEADER:
		if m := d.member(r.NodeId); m == nil || !d.isSure(*m) {
			d.violate("hands over to a node that does not work for certain")
		}
	case pb.RequestKind_START_NODE:
		if h := d.from.Hosts.At(r.NodehostId); d.cluster.Node(r.NodeId) == nil {
			d.isFirst(h.Address())
		}
		if m := d.member(r.NodeId); r.Restart && m != nil {
			d.quorumIsSureWithout(*m, len(d.voters))
		}
	case pb.RequestKind_DESTROY_NODE:
		if !d.cluster.Deleted && r.NodeId >= d.cluster.FirstNodeID && d.sure < db.Quorum(len(d.voters)) {
			d.violate("destroys what the cluster may have to be recovered from: only %d of %d voters work for certain", d.sure, len(d.voters))
		}
	}
}

func (d *decided) violate(format string, args ...any) {
	d.Violate(db.Describe(d.request)+" "+format, args...)
}

// members are those of the newest membership, or those that the cluster was placed with.
func (d *decided) members() []db.Member {
	if d.cluster.Image.CCID != 0 {
		return d.cluster.Image.Members
	}
	return d.cluster.Initial
}

func (d *decided) member(id uint64) *db.Member {
	for _, m := range d.members() {
		if m.NodeID == id {
			return &m
		}
	}
	return nil
}

// host returns the host that a member lives on, if it has its disk yet.
func (d *decided) host(m db.Member) *db.Host {
	if n := d.cluster.Node(m.NodeID); n != nil {
		return d.from.NodeHost(n)
	}
	return nil
}

// isSure reports whether a member works for certain: its host was heard of just now,
// it runs, and follows the leader of the newest term that anybody knows. Nobody can be
// sure of a witness.
func (d *decided) isSure(m db.Member) bool {
	h := d.host(m)
	if h == nil || d.from.Silence(h) >= d.Policy.Suspect || m.Role == pb.MemberRole_WITNESS {
		return false
	}
	r := d.cluster.Replica(m.NodeID, h.ID())
	return r != nil && r.Running && !r.Foreign && r.Leader != 0 && r.Term == d.newestTerm()
}

func (d *decided) newestTerm() uint64 {
	newest := uint64(0)
	for _, r := range d.cluster.Replicas {
		if !r.Foreign && r.Leader != 0 && d.cluster.Node(r.NodeID) != nil {
			newest = max(newest, r.Term)
		}
	}
	return newest
}

// quorumIsSure: sure voters only. A change counts on no voter that may not work.
func (d *decided) quorumIsSure(voters int) {
	if d.sure < db.Quorum(voters) {
		d.violate("counts on voters that may not work: of the %d there are then, %d do for certain", voters, d.sure)
	}
}

func (d *decided) quorumIsSureWithout(m db.Member, voters int) {
	sure := d.sure
	if d.isSure(m) {
		sure--
	}
	if sure < db.Quorum(voters) {
		d.violate("counts on voters that may not work: without node %d %d of %d do for certain", m.NodeID, sure, voters)
	}
}

// proposerIsSure: a membership change is proposed where a voter works that it is not about.
func (d *decided) proposerIsSure() {
	for _, m := range d.voters {
		if h := d.host(m); h != nil && h.ID() == d.request.NodehostId && d.isSure(m) &&
			(m.NodeID != d.request.NodeId || len(d.voters) == 1) {
			return
		}
	}
	d.violate("is proposed by %s, of which no voter works for certain", d.request.NodehostId)
}

// observerCameFirst: a voter that is missed goes when its successor has caught up, and
// not before; unless the successor can live nowhere but at the same address.
func (d *decided) observerCameFirst(leaving db.Member) {
	if len(d.voters)-1 >= int(d.cluster.Spec.GetSize()) {
		return // it is not missed
	}
	for _, m := range d.members() {
		if m.Role == pb.MemberRole_OBSERVER && d.isSure(m) && d.cluster.Replica(m.NodeID, d.host(m).ID()).CaughtUp {
			return
		}
	}
	if n := d.cluster.Node(leaving.NodeID); d.host(leaving) == nil && n != nil && d.from.Addresses.At(leaving.Address) != "" {
		return
	}
	d.violate("removes one of %d voters of %d, and no observer has caught up", len(d.voters), d.cluster.Spec.GetSize())
}

// hasCaughtUp: an observer is promoted when it has caught up, in truth too.
func (d *decided) hasCaughtUp() {
	m := d.member(d.request.NodeId)
	if m == nil || m.Role != pb.MemberRole_OBSERVER {
		d.violate("is about no observer")
		return
	}
	if !d.isSure(*m) || !d.cluster.Replica(m.NodeID, d.host(*m).ID()).CaughtUp {
		d.violate("is about an observer that has not caught up, or may not work")
	}
	if h := d.Hosts[m.Address]; h != nil {
		if n := h.Nodes[NodeKey{d.cluster.ID, m.NodeID}]; n != nil && !n.everCaughtUp {
			d.violate("is about an observer that has never caught up, in truth")
		}
	}
}

// isFirst: no NodeID is given twice in a cluster, not even in another life of it.
func (d *decided) isFirst(address string) {
	key := NodeKey{d.cluster.ID, d.request.NodeId}
	if given, ok := d.given[key]; ok {
		d.violate("gives the NodeID to a node at %s, which one at %s has, or had", address, given)
	}
	d.given[key] = address
}

// fusesAreWhole: nothing is replaced while too many hosts have vanished at once, of the
// fleet or of the region where the dead member lives.
func (d *decided) fusesAreWhole() {
	p := d.Policy
	if dead, vanished, hosts := d.vanished(func(*db.Host) bool { return true }); dead > 0 && vanished > p.FuseHosts && vanished*100 > hosts*p.FusePercent {
		d.violate("replaces though %d of %d hosts vanished at once", vanished, hosts)
	}
	_, _, all := d.vanished(func(*db.Host) bool { return true })
	for _, m := range d.voters {
		lost := d.host(m)
		if lost == nil || d.from.HostState(lost, p.TTL) == pb.NodeHostState_UP {
			continue
		}
		dead, vanished, hosts := d.vanished(func(h *db.Host) bool { return h.Region() == lost.Region() })
		if hosts < all && dead > 0 && vanished > p.FuseHosts && vanished*100 > hosts*p.FuseRegionPercent {
			d.violate("replaces though %d of %d hosts of region %s vanished at once", vanished, hosts, lost.Region())
		}
	}
}

// vanished counts hosts that are dead since not long ago, those that were not heard of
// for half of their time to live, and all that anybody expects back.
func (d *decided) vanished(counts func(*db.Host) bool) (dead, vanished, hosts int) {
	for h := range d.from.Hosts.Values() {
		silence := d.from.Silence(h)
		if h.Gone || silence >= d.Policy.TTL+d.Policy.FuseHold || !counts(h) {
			continue
		}
		hosts++
		if silence >= d.Policy.TTL {
			dead++
		}
		if 2*silence >= d.Policy.TTL {
			vanished++
		}
	}
	return dead, vanished, hosts
}

// mayBeDestroyed: what is destroyed is a member no more and never will be. Its cluster
// removed it or was deleted, or it belongs to a placement that was given up.
func (w *Fleet) mayBeDestroyed(key NodeKey) bool {
	if key.NodeID < w.ended[key.ClusterID] {
		return true
	}
	if g := w.Groups[key.ClusterID]; g != nil {
		return key.NodeID < g.life || g.Image.HasRemoved(key.NodeID)
	}
	c := w.State.Clusters.At(key.ClusterID)
	return c != nil && key.NodeID < c.FirstNodeID
}
