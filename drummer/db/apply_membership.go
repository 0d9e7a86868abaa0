// SPDX-License-Identifier: Apache-2.0

package db

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// mergeImage takes in a membership that somebody reported, as imageOf has read it. Only
// a newer one than the image counts, and only of the cluster's present life; a deleted
// cluster has none.
func (e *edit) mergeImage(c *Cluster, image Image, err error) {
	if err != nil {
		e.note("%s.", err)
		return
	}
	if c.Deleted || !c.complete(&image) {
		return
	}
	if why := c.contradicts(&image); why != "" {
		e.note("Membership %d reported for cluster %d is not this cluster's: %s.", image.CCID, c.ID, why)
		return
	}
	if image.CCID <= c.Image.CCID {
		return
	}
	old := c.Image
	c.Image = image
	for _, x := range image.Members {
		sawNodeID(c, x.NodeID)
	}
	for _, id := range image.Removed {
		sawNodeID(c, id)
	}
	e.changed(c)
	e.event(&pb.Event{Kind: pb.EventMembership, ClusterId: c.ID},
		"membership %d of cluster %d: %s", image.CCID, c.ID, &image)
	c.noteJoins(&old, e.s.Tick)
	e.settleConfig(c)
	e.matchImage(c)
}

// complete reports whether an image is one of the cluster's present life, after
// all of its first members were written to it: Dragonboat starts a cluster
// with one config change for each of them, at indexes 1 to n.
func (c *Cluster) complete(image *Image) bool {
	if image.CCID < uint64(len(c.Initial)) {
		return false
	}
	return !slices.ContainsFunc(image.Members, func(m Member) bool { return m.NodeID < c.FirstNodeID })
}

// contradicts returns why an image can't be one of this cluster's, or nothing. A
// NodeID means one address permanently, and a member goes only by being removed: an
// image that has it otherwise is that of another Raft group which somebody runs
// under the same ClusterID, or of one that was recovered by hand.
func (c *Cluster) contradicts(image *Image) string {
	for i := range c.Nodes {
		n := &c.Nodes[i]
		switch m := image.Member(n.ID); {
		case m != nil && m.Address != n.Address:
			return fmt.Sprintf("it has node %d at %s, which lives at %s", n.ID, m.Address, n.Address)
		case m == nil && n.Fence == 0 && image.CCID > c.Image.CCID && !image.HasRemoved(n.ID):
			return fmt.Sprintf("it neither has node %d nor says that it was removed", n.ID)
		}
	}
	return ""
}

// judgeReplica notes whether a replica belongs to another Raft group, going by
// the membership that its host reports with it.
func (e *edit) judgeReplica(c *Cluster, r *Replica, image *Image, err error) {
	if err != nil || !c.complete(image) || c.Spec == nil {
		return
	}
	why := c.contradicts(image)
	if why != "" && !r.Foreign {
		e.event(&pb.Event{Kind: pb.EventClusterForeign, ClusterId: c.ID, NodeId: r.NodeID, NodehostId: r.HostID},
			"node %d on %s is of another Raft group than cluster %d, in spite of the same ID: in its membership %d %s; nothing is done to the cluster until somebody explains that",
			r.NodeID, r.HostID, c.ID, image.CCID, strings.TrimPrefix(why, "it "))
	}
	r.Foreign = why != ""
}

// noteJoins counts observers that went without having been promoted.
func (c *Cluster) noteJoins(old *Image, tick uint64) {
	for _, was := range old.Members {
		if was.Role != pb.MemberRole_OBSERVER {
			continue
		}
		switch is := c.Image.Member(was.NodeID); {
		case is == nil:
			c.JoinFailures++
			c.JoinFailed = tick
		case is.Role == pb.MemberRole_VOTER:
			c.JoinFailures = 0
		}
	}
}

// settleConfig ends a membership change in flight whose fence is older than
// the image: by now it has happened, or never will.
func (e *edit) settleConfig(c *Cluster) {
	op := e.s.Operations.At(c.Config.Operation)
	if op == nil {
		c.Config.Failures = 0
		return
	}
	r := op.Request
	if r.Kind == pb.RequestKind_TRANSFER_LEADER || r.ConfigChangeId >= c.Image.CCID {
		return
	}
	if c.Image.shows(r) {
		e.closeOperation(op, done, operationEvent(pb.EventOperationEnded, op), "is done, the membership shows it")
	} else {
		e.closeOperation(op, never, operationEvent(pb.EventOperationOvertaken, op), "was overtaken by another membership change")
	}
}

// shows reports whether a membership change holds in the image.
func (m *Image) shows(r *pb.Request) bool {
	member := m.Member(r.NodeId)
	switch r.Kind {
	case pb.RequestKind_ADD_OBSERVER:
		return member != nil
	case pb.RequestKind_PROMOTE:
		return member != nil && member.Role == pb.MemberRole_VOTER
	case pb.RequestKind_REMOVE_NODE:
		return member == nil
	default:
		return false
	}
}

// matchImage drops placed nodes that can't be members any more and adopts
// members that nobody here placed.
func (e *edit) matchImage(c *Cluster) {
	for _, n := range slices.Clone(c.Nodes) {
		switch {
		case c.Image.Member(n.ID) != nil:
			if n.MemberSince == 0 {
				c.Node(n.ID).MemberSince = max(e.s.Tick, 1)
			}
		case c.Image.HasRemoved(n.ID) || n.Fence != 0 && n.Fence < c.Image.CCID:
			e.dropNode(c, n.ID)
		}
	}
	for _, m := range c.Image.Members {
		if c.Node(m.NodeID) == nil {
			e.adopt(c, m)
		}
	}
}

// adopt makes a node of a member that somebody else started. It counts as
// started: were it not on its host's disk, its votes would be lost.
func (e *edit) adopt(c *Cluster, m Member) {
	n := Node{
		ID:          m.NodeID,
		HostID:      e.s.Addresses.At(m.Address),
		Address:     m.Address,
		Join:        pb.JoinMode_INITIAL,
		Asked:       true,
		Started:     true,
		MemberSince: max(e.s.Tick, 1),
	}
	if m.Role == pb.MemberRole_OBSERVER {
		n.Join = pb.JoinMode_JOIN_AS_OBSERVER
	}
	e.addNode(c, n)
	if c.Spec != nil {
		e.event(&pb.Event{Kind: pb.EventClusterAdopted, ClusterId: c.ID, NodeId: n.ID, NodehostId: n.HostID},
			"node %d of cluster %d at %s was not placed by Drummer and is adopted", n.ID, c.ID, n.Address)
	}
}

// maxRemovedShown bounds the removed members that are listed for people.
const maxRemovedShown = 10

// String lists the members for people, as '1@a 2@b 3@c(observer), removed 4'.
func (m *Image) String() string {
	var b strings.Builder
	for i, x := range m.Members {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.FormatUint(x.NodeID, 10))
		b.WriteByte('@')
		b.WriteString(x.Address)
		if x.Role != pb.MemberRole_VOTER {
			fmt.Fprintf(&b, "(%s)", strings.ToLower(x.Role.String()))
		}
	}
	if n := len(m.Removed); n > 0 {
		last := m.Removed[max(0, n-maxRemovedShown):]
		fmt.Fprintf(&b, ", removed %s", strings.Trim(fmt.Sprint(last), "[]"))
		if n > len(last) {
			fmt.Fprintf(&b, " and %d before", n-len(last))
		}
	}
	return b.String()
}
