// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

// running returns the process of a member that runs on a host, or nil.
func (w *world) running(g *group, m db.Member) *process {
	h := w.hosts[m.Address]
	if h == nil || !h.up {
		return nil
	}
	if n := h.nodes[nodeKey{g.id, m.NodeID}]; n != nil && n.running {
		return n
	}
	return nil
}

// works reports whether a member runs and reaches so many others that together
// they can commit: gray hosts reach nobody.
func (w *world) works(g *group, m db.Member) bool {
	if w.running(g, m) == nil {
		return false
	}
	if w.hosts[m.Address].gray {
		return g.image.Voters() == 1 && db.Voting(m.Role)
	}
	reached := w.count(g, func(x db.Member) bool { return w.running(g, x) != nil && !w.hosts[x.Address].gray })
	return reached >= db.Quorum(g.image.Voters())
}

// quorate reports whether the group can commit, in truth.
func (w *world) quorate(g *group) bool {
	return g.image != nil && slices.ContainsFunc(g.image.Members, func(m db.Member) bool { return w.works(g, m) })
}

func (w *world) count(g *group, alive func(db.Member) bool) int {
	n := 0
	for _, m := range g.image.Members {
		if db.Voting(m.Role) && alive(m) {
			n++
		}
	}
	return n
}

// raft moves a group by a tick: it forms, elects, and its working members
// learn what was committed and catch up.
func (w *world) raft(g *group) {
	w.lose(g)
	if !w.quorate(g) {
		g.leader = 0
		return
	}
	leader := g.image.Member(g.leader)
	if leader == nil || !db.Voting(leader.Role) || !w.works(g, *leader) {
		g.leader = 0
		for _, m := range g.image.Members {
			if m.Role == pb.MemberRole_VOTER && w.works(g, m) {
				w.elect(g, m.NodeID)
				break
			}
		}
	}
	for _, m := range g.image.Members {
		if !w.works(g, m) {
			continue
		}
		n := w.running(g, m)
		n.image = g.image
		n.leader, n.term, n.awake = g.leader, g.term, g.awake
		n.caught = m.Role == pb.MemberRole_OBSERVER && w.now >= n.started+w.joinTicks
	}
}

func (w *world) elect(g *group, leader uint64) {
	g.leader, g.awake = leader, w.now
	g.term++
}

// lose has members that don't reach the others notice that they follow nobody.
// Observers never do, nor does a member that sleeps; and a leader only where it
// checks its quorum.
func (w *world) lose(g *group) {
	quiesces := w.state.Clusters.At(g.id).Spec.GetRaft().GetQuiesce()
	for _, m := range g.image.Members {
		n := w.running(g, m)
		if n == nil || w.works(g, m) {
			continue
		}
		n.caught = false
		asleep := quiesces && w.hosts[m.Address].since > n.awake+w.sleepAfter
		if m.Role == pb.MemberRole_VOTER && !asleep && !(w.stubborn && n.leader == m.NodeID) {
			n.leader, n.term = 0, 0
		}
	}
}

// form starts the truth about a cluster once a majority of the members that
// it was placed with run. Forming twice would be two clusters of one ID.
func (w *world) form(cluster uint64, initial map[uint64]string) {
	image := bootstrap(initial)
	born := &group{id: cluster, image: image, life: image.Members[0].NodeID}
	g := w.groups[cluster]
	if g != nil && g.life == born.life || !w.quorate(born) || born.life < w.ended[cluster] {
		return
	}
	if g != nil {
		w.breaks("cluster %d was started twice, as %s and as %s", cluster, g.image, image)
	}
	w.groups[cluster] = born
}

// bootstrap is the membership that a first member has at once, whether others
// run or not.
func bootstrap(initial map[uint64]string) *db.Image {
	image := &db.Image{CCID: uint64(len(initial))}
	for id, address := range initial {
		image.Members = append(image.Members, db.Member{NodeID: id, Address: address, Role: pb.MemberRole_VOTER})
	}
	slices.SortFunc(image.Members, func(a, b db.Member) int { return cmp.Compare(a.NodeID, b.NodeID) })
	return image
}

// carryOut is the agent: it does what is asked and says what came of it.
// nil: nothing is known yet, and never will be.
func (w *world) carryOut(m *machine, op *pb.Operation) *pb.RequestResult {
	if w.faults.result != nil {
		if code := w.faults.result(op); code != 0 {
			return &pb.RequestResult{Code: code, Detail: "as the script says"}
		}
	}
	r := op.Request
	switch r.Kind {
	case pb.RequestKind_START_NODE:
		return w.startNode(m, r)
	case pb.RequestKind_DESTROY_NODE:
		return w.destroyNode(m, r)
	default:
		return w.changeMembership(m, r)
	}
}

func answer(code pb.ResultCode, format string, args ...any) *pb.RequestResult {
	return &pb.RequestResult{Code: code, Detail: fmt.Sprintf(format, args...)}
}

func (w *world) startNode(m *machine, r *pb.Request) *pb.RequestResult {
	key := nodeKey{r.ClusterId, r.NodeId}
	if home, ok := w.homes[key]; ok && home != m.id {
		w.breaks("node %d of cluster %d ran on disk %s and was started on %s", r.NodeId, r.ClusterId, home, m.id)
	}
	w.homes[key] = m.id
	for k, n := range m.nodes {
		if k.cluster == r.ClusterId && k.node != r.NodeId && n.running {
			return answer(pb.ResultCode_FAILED, "the host runs node %d of the cluster", k.node)
		}
	}
	n := m.nodes[key]
	if n == nil {
		n = &process{key: key, join: r.Join}
		m.nodes[key] = n
	}
	if n.join != r.Join {
		w.breaks("node %d of cluster %d joined as %s and was started as %s", r.NodeId, r.ClusterId, n.join, r.Join)
	}
	digest := raftspec.Digest(r.Spec.GetRaft())
	if n.running && r.Restart && n.raft != digest {
		w.restart(m, n, r)
		n.raft = digest
	}
	if !n.running {
		n.running, n.started, n.raft = true, w.now, digest
	}
	if r.Join == pb.JoinMode_INITIAL {
		if n.image == nil {
			n.image = bootstrap(r.InitialMembers)
		}
		w.births[r.ClusterId] = r.InitialMembers
		w.form(r.ClusterId, r.InitialMembers)
	}
	return answer(pb.ResultCode_DONE, "")
}

// restart is as good as a short death: without the node the cluster still has
// its quorum, as far as Drummer can know, if it had one with it.
func (w *world) restart(m *machine, n *process, r *pb.Request) {
	g := w.groups[n.key.cluster]
	if g == nil || g.image.Member(n.key.node) == nil {
		return
	}
	foreseen := w.foreseen(g, r)
	others := w.count(g, func(x db.Member) bool { return x.NodeID != n.key.node && foreseen(x) })
	if quorum := db.Quorum(g.image.Voters()); others < quorum && w.count(g, foreseen) >= quorum {
		w.breaks("the restart of node %d on %s took the quorum of cluster %d, %s", n.key.node, m.name, g.id, g.image)
	}
	if g.leader == n.key.node {
		g.leader = 0
	}
}

func (w *world) destroyNode(m *machine, r *pb.Request) *pb.RequestResult {
	key := nodeKey{r.ClusterId, r.NodeId}
	if n := m.nodes[key]; n != nil && n.running && r.NodeId < w.ended[r.ClusterId] && !r.ClusterDeleted {
		return answer(pb.ResultCode_REFUSED, "the node's own cluster, which was deleted, calls it a member")
	}
	if g := w.groups[r.ClusterId]; g != nil {
		if x := g.image.Member(r.NodeId); x != nil && x.Address == m.name {
			w.breaks("node %d of cluster %d was destroyed, though a member", r.NodeId, r.ClusterId)
		}
	}
	if n := m.nodes[key]; n != nil && n.foreign {
		w.breaks("node %d of cluster %d on %s was destroyed, which is not Drummer's", r.NodeId, r.ClusterId, m.name)
	}
	delete(m.nodes, key)
	return answer(pb.ResultCode_DONE, "")
}

func (w *world) changeMembership(m *machine, r *pb.Request) *pb.RequestResult {
	g := w.groups[r.ClusterId]
	if g == nil || !w.quorate(g) {
		return answer(pb.ResultCode_FAILED, "there is no leader")
	}
	if !slices.ContainsFunc(g.image.Members, func(x db.Member) bool {
		return x.Address == m.name && db.Voting(x.Role) && w.works(g, x)
	}) {
		return answer(pb.ResultCode_FAILED, "the host runs no voter of the cluster that works")
	}
	if r.Kind == pb.RequestKind_TRANSFER_LEADER {
		if x := g.image.Member(r.NodeId); x != nil && x.Role == pb.MemberRole_VOTER && w.works(g, *x) {
			w.elect(g, r.NodeId)
		}
		return answer(pb.ResultCode_DONE, "")
	}
	next := w.changed(g, r)
	if next == nil {
		result := answer(pb.ResultCode_REFUSED, "rejected")
		result.Membership = g.image.Proto(g.id)
		return result
	}
	w.commit(g, r, next)
	result := answer(pb.ResultCode_DONE, "")
	result.Membership = g.image.Proto(g.id)
	return result
}

// changed is the image after a change, or nil when Dragonboat would reject it
// (internal/rsm/membership.go).
func (w *world) changed(g *group, r *pb.Request) *db.Image {
	old := g.image.Member(r.NodeId)
	if r.ConfigChangeId != g.image.CCID {
		return nil
	}
	next := &db.Image{CCID: g.image.CCID + 1, Members: slices.Clone(g.image.Members), Removed: slices.Clone(g.image.Removed)}
	switch r.Kind {
	case pb.RequestKind_ADD_OBSERVER:
		if old != nil || g.image.HasRemoved(r.NodeId) || g.image.HasAddress(r.TargetAddress) {
			return nil
		}
		next.Members = append(next.Members, db.Member{NodeID: r.NodeId, Address: r.TargetAddress, Role: pb.MemberRole_OBSERVER})
	case pb.RequestKind_PROMOTE:
		if old == nil || old.Role != pb.MemberRole_OBSERVER || old.Address != r.TargetAddress {
			return nil
		}
		next.Member(r.NodeId).Role = pb.MemberRole_VOTER
	case pb.RequestKind_REMOVE_NODE:
		if old != nil && db.Voting(old.Role) && g.image.Voters() == 1 {
			return nil
		}
		next.Members = slices.DeleteFunc(next.Members, func(m db.Member) bool { return m.NodeID == r.NodeId })
		next.Removed = append(next.Removed, r.NodeId)
	default:
		return nil
	}
	slices.SortFunc(next.Members, func(a, b db.Member) int { return cmp.Compare(a.NodeID, b.NodeID) })
	slices.Sort(next.Removed)
	return next
}

// foreseen tells of a member whether Drummer could know that it works, when it
// decided on a request.
func (w *world) foreseen(g *group, r *pb.Request) func(db.Member) bool {
	decided := w.decided[r.OperationId]
	return func(m db.Member) bool {
		h := w.hosts[m.Address]
		lately := decided <= h.since+w.policy.Suspect
		switch {
		case w.running(g, m) == nil:
			return !h.up && lately
		case h.gray && g.image.Voters() > 1:
			return lately || h.told == 0 || decided <= h.told
		default:
			return !h.cut || lately
		}
	}
}

// commit makes a change the truth, unless that does harm that Drummer could
// have foreseen: nobody can know of a host that fell silent a moment ago, and
// one that Drummer has not heard for long must be taken for dead.
func (w *world) commit(g *group, r *pb.Request, next *db.Image) {
	foreseen := w.foreseen(g, r)
	before := w.count(g, foreseen) >= db.Quorum(g.image.Voters())
	old := g.image
	g.image, g.awake = next, w.now
	if before && w.count(g, foreseen) < db.Quorum(next.Voters()) {
		w.breaks("%s took the quorum of cluster %d, from %s to %s", db.Describe(r), g.id, old, next)
	}
	if old.Member(r.NodeId) != nil && next.Member(r.NodeId) == nil {
		if n := w.running(g, *old.Member(r.NodeId)); n != nil && !w.hosts[old.Member(r.NodeId).Address].gray {
			n.image = next // it learns of its removal
		}
	}
}
