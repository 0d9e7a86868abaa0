// SPDX-License-Identifier: Apache-2.0

package model

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

// running returns the process of a member that runs on a host, or nil.
func (w *Fleet) running(g *Group, m db.Member) *Node {
	h := w.Hosts[m.Address]
	if h == nil || !h.Up {
		return nil
	}
	if n := h.Nodes[NodeKey{g.ID, m.NodeID}]; n != nil && n.Running {
		return n
	}
	return nil
}

// works reports whether a member runs and reaches so many others that together
// they can commit: gray hosts reach nobody.
func (w *Fleet) works(g *Group, m db.Member) bool {
	if w.running(g, m) == nil {
		return false
	}
	if w.Hosts[m.Address].Isolated {
		return g.Image.Voters() == 1 && db.Voting(m.Role)
	}
	reached := w.count(g, func(x db.Member) bool { return w.running(g, x) != nil && !w.Hosts[x.Address].Isolated })
	return reached >= db.Quorum(g.Image.Voters())
}

// quorate reports whether the group can commit, in truth.
func (w *Fleet) quorate(g *Group) bool {
	return g.Image != nil && slices.ContainsFunc(g.Image.Members, func(m db.Member) bool { return w.works(g, m) })
}

func (w *Fleet) count(g *Group, alive func(db.Member) bool) int {
	n := 0
	for _, m := range g.Image.Members {
		if db.Voting(m.Role) && alive(m) {
			n++
		}
	}
	return n
}

// raft moves a group by a tick: it forms, elects, and its working members
// learn what was committed and catch up.
func (w *Fleet) raft(g *Group) {
	w.lose(g)
	if !w.quorate(g) {
		g.leader = 0
		return
	}
	leader := g.Image.Member(g.leader)
	if leader == nil || !db.Voting(leader.Role) || !w.works(g, *leader) {
		g.leader = 0
		for _, m := range g.Image.Members {
			if m.Role == pb.MemberRole_VOTER && w.works(g, m) {
				w.elect(g, m.NodeID)
				break
			}
		}
	}
	for _, m := range g.Image.Members {
		if !w.works(g, m) {
			continue
		}
		n := w.running(g, m)
		n.image = g.Image
		n.leader, n.term, n.awake = g.leader, g.term, g.awake
		n.CaughtUp = m.Role == pb.MemberRole_OBSERVER && w.Now >= n.started+w.JoinTicks
		n.everCaughtUp = n.everCaughtUp || n.CaughtUp
	}
}

func (w *Fleet) elect(g *Group, leader uint64) {
	g.leader, g.awake = leader, w.Now
	g.term++
}

// lose has members that don't reach the others notice that they follow nobody.
// Observers never do, nor does a member that sleeps; and a leader only where it
// checks its quorum.
func (w *Fleet) lose(g *Group) {
	quiesces := w.State.Clusters.At(g.ID).Spec.GetRaft().GetQuiesce()
	for _, m := range g.Image.Members {
		n := w.running(g, m)
		if n == nil || w.works(g, m) {
			continue
		}
		n.CaughtUp = false
		asleep := quiesces && w.Hosts[m.Address].since > n.awake+w.sleepAfter
		if m.Role == pb.MemberRole_VOTER && !asleep && !(n.leader == m.NodeID && (w.NoQuorumChecks || !n.checkQuorum)) {
			n.leader, n.term = 0, 0
		}
	}
}

// form starts the truth about a cluster once a majority of the members that
// it was placed with run. Forming twice would be two clusters of one ID.
func (w *Fleet) form(cluster uint64, initial map[uint64]string) {
	image := bootstrap(initial)
	born := &Group{ID: cluster, Image: image, life: image.Members[0].NodeID}
	g := w.Groups[cluster]
	if g != nil && g.life == born.life || !w.quorate(born) || born.life < w.ended[cluster] {
		return
	}
	if g != nil {
		w.Violate("cluster %d was started twice, as %s and as %s", cluster, g.Image, image)
	}
	w.Groups[cluster] = born
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
func (w *Fleet) carryOut(m *Host, op *pb.Operation) *pb.RequestResult {
	if w.Faults.Result != nil {
		if code := w.Faults.Result(op); code != 0 {
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

func (w *Fleet) startNode(m *Host, r *pb.Request) *pb.RequestResult {
	key := NodeKey{r.ClusterId, r.NodeId}
	if home, ok := w.firstDisk[key]; ok && home != m.ID {
		w.Violate("node %d of cluster %d ran on disk %s and was started on %s", r.NodeId, r.ClusterId, home, m.ID)
	}
	w.firstDisk[key] = m.ID
	for k, n := range m.Nodes {
		if k.ClusterID == r.ClusterId && k.NodeID != r.NodeId && n.Running {
			return answer(pb.ResultCode_FAILED, "the host runs node %d of the cluster", k.NodeID)
		}
	}
	n := m.Nodes[key]
	if n == nil {
		n = &Node{Key: key, join: r.Join}
		m.Nodes[key] = n
	}
	if n.join != r.Join {
		w.Violate("node %d of cluster %d joined as %s and was started as %s", r.NodeId, r.ClusterId, n.join, r.Join)
	}
	digest, checkQuorum := raftspec.Digest(r.Spec.GetRaft()), raftspec.Effective(r.Spec.GetRaft()).GetCheckQuorum()
	if n.Running && r.Restart && n.digest != digest {
		w.restart(m, n, r)
		n.digest, n.checkQuorum = digest, checkQuorum
	}
	if !n.Running {
		n.Running, n.started, n.digest, n.checkQuorum = true, w.Now, digest, checkQuorum
	}
	if r.Join == pb.JoinMode_INITIAL {
		if n.image == nil {
			n.image = bootstrap(r.InitialMembers)
		}
		w.initial[r.ClusterId] = r.InitialMembers
		w.form(r.ClusterId, r.InitialMembers)
	}
	return answer(pb.ResultCode_DONE, "")
}

// restart is as good as a short death: without the node the cluster still has
// its quorum, as far as Drummer can know, if it had one with it.
func (w *Fleet) restart(m *Host, n *Node, r *pb.Request) {
	g := w.Groups[n.Key.ClusterID]
	if g == nil || g.Image.Member(n.Key.NodeID) == nil {
		return
	}
	foreseen := w.foreseen(g, r)
	others := w.count(g, func(x db.Member) bool { return x.NodeID != n.Key.NodeID && foreseen(x) })
	if quorum := db.Quorum(g.Image.Voters()); others < quorum && w.count(g, foreseen) >= quorum {
		w.Violate("the restart of node %d on %s took the quorum of cluster %d, %s", n.Key.NodeID, m.Name, g.ID, g.Image)
	}
	if g.leader == n.Key.NodeID {
		g.leader = 0
	}
}

func (w *Fleet) destroyNode(m *Host, r *pb.Request) *pb.RequestResult {
	key := NodeKey{r.ClusterId, r.NodeId}
	if n := m.Nodes[key]; n != nil && n.Running && r.NodeId < w.ended[r.ClusterId] && !r.ClusterDeleted {
		return answer(pb.ResultCode_REFUSED, "the node's own cluster, which was deleted, calls it a member")
	}
	if g := w.Groups[r.ClusterId]; g != nil {
		if x := g.Image.Member(r.NodeId); x != nil && x.Address == m.Name {
			w.Violate("node %d of cluster %d was destroyed, though a member", r.NodeId, r.ClusterId)
		}
	}
	if n := m.Nodes[key]; n != nil && !w.mayBeDestroyed(key) {
		w.Violate("node %d of cluster %d on %s was destroyed, which nothing shows to be a member no more", r.NodeId, r.ClusterId, m.Name)
	}
	if n := m.Nodes[key]; n != nil && n.Foreign {
		w.Violate("node %d of cluster %d on %s was destroyed, which is not Drummer's", r.NodeId, r.ClusterId, m.Name)
	}
	delete(m.Nodes, key)
	return answer(pb.ResultCode_DONE, "")
}

func (w *Fleet) changeMembership(m *Host, r *pb.Request) *pb.RequestResult {
	g := w.Groups[r.ClusterId]
	if g == nil || !w.quorate(g) {
		return answer(pb.ResultCode_FAILED, "there is no leader")
	}
	if !slices.ContainsFunc(g.Image.Members, func(x db.Member) bool {
		return x.Address == m.Name && db.Voting(x.Role) && w.works(g, x)
	}) {
		return answer(pb.ResultCode_FAILED, "the host runs no voter of the cluster that works")
	}
	if r.Kind == pb.RequestKind_TRANSFER_LEADER {
		if x := g.Image.Member(r.NodeId); x != nil && x.Role == pb.MemberRole_VOTER && w.works(g, *x) {
			w.elect(g, r.NodeId)
		}
		return answer(pb.ResultCode_DONE, "")
	}
	next := w.changed(g, r)
	if next == nil {
		result := answer(pb.ResultCode_REFUSED, "rejected")
		result.Membership = g.Image.Proto(g.ID)
		return result
	}
	w.commit(g, r, next)
	result := answer(pb.ResultCode_DONE, "")
	result.Membership = g.Image.Proto(g.ID)
	return result
}

// changed is the image after a change, or nil when Dragonboat would reject it
// (internal/rsm/membership.go).
func (w *Fleet) changed(g *Group, r *pb.Request) *db.Image {
	old := g.Image.Member(r.NodeId)
	if r.ConfigChangeId != g.Image.CCID {
		return nil
	}
	next := &db.Image{CCID: g.Image.CCID + 1, Members: slices.Clone(g.Image.Members), Removed: slices.Clone(g.Image.Removed)}
	switch r.Kind {
	case pb.RequestKind_ADD_OBSERVER:
		if old != nil || g.Image.HasRemoved(r.NodeId) || g.Image.HasAddress(r.TargetAddress) {
			return nil
		}
		next.Members = append(next.Members, db.Member{NodeID: r.NodeId, Address: r.TargetAddress, Role: pb.MemberRole_OBSERVER})
	case pb.RequestKind_PROMOTE:
		if old == nil || old.Role != pb.MemberRole_OBSERVER || old.Address != r.TargetAddress {
			return nil
		}
		next.Member(r.NodeId).Role = pb.MemberRole_VOTER
	case pb.RequestKind_REMOVE_NODE:
		if old != nil && db.Voting(old.Role) && g.Image.Voters() == 1 {
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

// foreseen reports for a member whether Drummer could know that it works, when it
// decided on a request.
func (w *Fleet) foreseen(g *Group, r *pb.Request) func(db.Member) bool {
	decided := w.decided[r.OperationId]
	return func(m db.Member) bool {
		h := w.Hosts[m.Address]
		lately := decided <= h.since+w.Policy.Suspect
		switch {
		case w.running(g, m) == nil:
			return !h.Up && lately
		case h.Isolated && g.Image.Voters() > 1:
			return lately || h.known == 0 || decided <= h.known
		default:
			return !h.Cut || lately
		}
	}
}

// commit makes a change the truth, unless that does harm that Drummer could
// have foreseen: nobody can know of a host that fell silent a moment ago, and
// one that Drummer has not heard for long must be taken for dead.
func (w *Fleet) commit(g *Group, r *pb.Request, next *db.Image) {
	foreseen := w.foreseen(g, r)
	before := w.count(g, foreseen) >= db.Quorum(g.Image.Voters())
	old := g.Image
	g.Image, g.awake = next, w.Now
	if before && w.count(g, foreseen) < db.Quorum(next.Voters()) {
		w.Violate("%s took the quorum of cluster %d, from %s to %s", db.Describe(r), g.ID, old, next)
	}
	if old.Member(r.NodeId) != nil && next.Member(r.NodeId) == nil {
		if n := w.running(g, *old.Member(r.NodeId)); n != nil && !w.Hosts[old.Member(r.NodeId).Address].Isolated {
			n.image = next // it learns of its removal
		}
	}
}
