// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/db/ordmap"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// judgeState looks at one state by itself: it contradicts itself nowhere, a snapshot and
// a backup of it lose nothing, and one that was published before is as it was.
func (a *Auditor) judgeState(s *db.State) {
	if err := s.Check(); err != nil {
		a.breach(soundness, 0, "DrummerDB at index %d contradicts itself: %v", s.Index, err)
	}
	if a.kept != nil {
		if sum := Digest(a.kept); sum != a.keptSum {
			a.breach(soundness, 0, "DrummerDB at index %d was changed after it was published", a.kept.Index)
		}
	}
	a.kept, a.keptSum = s, Digest(s)
	var snapshot bytes.Buffer
	if err := db.WriteSnapshot(s, &snapshot); err != nil {
		a.breach(soundness, 0, "DrummerDB at index %d can't be saved: %v", s.Index, err)
		return
	}
	switch again, err := db.ReadSnapshot(&snapshot); {
	case err != nil:
		a.breach(soundness, 0, "the snapshot of DrummerDB at index %d can't be read: %v", s.Index, err)
	case Digest(again) != a.keptSum:
		a.breach(soundness, 0, "the snapshot of DrummerDB at index %d makes another state than it was made of: %s", s.Index, difference(s, again))
	}
}

// identity is what a NodeID stands for.
type identity struct {
	address string
	over    bool // it was removed, or its cluster's life has ended
}

// judgeStep compares two states that follow each other.
func (a *Auditor) judgeStep(before, after *db.State) {
	for _, x := range []struct {
		what        string
		was, is     uint64
		changesOnce bool
	}{
		{"index", before.Index, after.Index, false},
		{"clock", before.Tick, after.Tick, false},
		{"term", before.Term, after.Term, false},
		{"version", uint64(before.Version), uint64(after.Version), false},
		{"next operation's ID", before.NextOperationID, after.NextOperationID, false},
		{"next event's sequence", before.NextEventSequence, after.NextEventSequence, false},
		{"deployment's ID", before.DeploymentID, after.DeploymentID, true},
		{"deployment's epoch", before.DeploymentEpoch, after.DeploymentEpoch, true},
	} {
		if x.is < x.was || x.changesOnce && x.was != 0 && x.is != x.was {
			a.breach(soundness, 0, "DrummerDB at index %d: the %s went from %d to %d", after.Index, x.what, x.was, x.is)
		}
	}
	if before.Launched && !after.Launched {
		a.breach(soundness, 0, "DrummerDB at index %d: the deployment is no longer launched", after.Index)
	}
	for id := range ordmap.Changed(before.Clusters, after.Clusters) {
		if was, is := before.Clusters.At(id), after.Clusters.At(id); is != nil {
			a.judgeLeader(after, is)
			if was != nil && was.FirstNodeID == is.FirstNodeID {
				a.judgeJoins(after, was, is)
				a.judgeStarts(before, after, is)
			}
		}
		a.judgeNodeIDs(after, id, before.Clusters.At(id), after.Clusters.At(id))
	}
	for id, t := range before.Tombstones.All() {
		if c := after.Clusters.At(id); c != nil && c.NextNodeID < t.NextNodeID {
			a.breach(soundness, id, "cluster %d, which is defined again, would be given NodeIDs from %d on, and had them up to %d before", id, c.NextNodeID, t.NextNodeID-1)
		}
		if _, there := after.Tombstones.Get(id); !there && after.Clusters.At(id) == nil {
			a.breach(soundness, id, "which NodeIDs cluster %d had was forgotten", id)
		}
	}
}

// judgeLeader: the leader of a cluster is that of the newest term which any replica of a
// placed node follows.
func (a *Auditor) judgeLeader(after *db.State, c *db.Cluster) {
	leader, term := uint64(0), uint64(0)
	for _, r := range c.Replicas {
		if !r.Foreign && r.Leader != 0 && r.Term > term && c.Node(r.NodeID) != nil {
			leader, term = r.Leader, r.Term
		}
	}
	if c.Leader != leader || c.LeaderTerm != term {
		a.breach(soundness, c.ID, "at index %d node %d of term %d counts as leader of cluster %d, and hosts report node %d of term %d", after.Index, c.Leader, c.LeaderTerm, c.ID, leader, term)
	}
}

// judgeJoins: observers that go without having been promoted are counted, until one is.
func (a *Auditor) judgeJoins(after *db.State, was, is *db.Cluster) {
	promoted, gone := 0, 0
	for _, m := range was.Image.Members {
		if m.Role != pb.MemberRole_OBSERVER {
			continue
		}
		switch now := is.Image.Member(m.NodeID); {
		case now == nil:
			gone++
		case now.Role == pb.MemberRole_VOTER:
			promoted++
		}
	}
	if promoted > 0 && gone == 0 && is.JoinFailures != 0 || promoted == 0 && is.JoinFailures != was.JoinFailures+uint32(gone) && is.Image.CCID <= was.Image.CCID+1 {
		a.breach(soundness, is.ID, "at index %d cluster %d counts %d new members that have failed; it counted %d, since then %d have failed and %d were promoted", after.Index, is.ID, is.JoinFailures, was.JoinFailures, gone, promoted)
	}
}

// judgeStarts: a node whose start nobody knows anything of may have run.
func (a *Auditor) judgeStarts(before, after *db.State, c *db.Cluster) {
	for _, e := range eventsBetween(before, after) {
		op := before.Operations.At(e.GetOperationId())
		if op == nil || e.GetKind() != pb.EventOperationExpired || op.GetRequest().GetKind() != pb.RequestKind_START_NODE || op.GetRequest().GetClusterId() != c.ID {
			continue
		}
		if n := c.Node(op.GetRequest().GetNodeId()); n != nil && !n.Asked {
			a.breach(soundness, c.ID, "at index %d node %d of cluster %d counts as one that never ran, and nobody knows what became of its start by operation %d", after.Index, n.ID, c.ID, op.GetId())
		}
	}
}

// judgeReturns: how often a host came back from the dead is counted.
func (a *Auditor) judgeReturns(before, after *db.State, t told) {
	for id := range ordmap.Changed(before.Hosts, after.Hosts) {
		was, is := before.Hosts.At(id), after.Hosts.At(id)
		if was == nil && is != nil {
			// What an operator decided about a host holds for who has its address now.
			if former := before.Hosts.At(before.Addresses.At(is.Address())); former != nil && former.Mode != is.Mode && t.count(pb.EventHostMode, "", 0, 0) == 0 {
				a.breach(soundness, 0, "host %s takes the place of %s at %s, which was set to %s, and is set to %s", id, former.ID(), is.Address(), former.Mode, is.Mode)
			}
		}
		if was != nil && is != nil && was.Dead && !is.Dead && !is.Gone && t.count(pb.EventHostReturned, id, 0, 0) == 1 && (is.Deaths != was.Deaths+1 || is.UpSince < before.Tick) {
			a.breach(soundness, 0, "host %s is back from the dead at index %d, and counts as up since tick %d with %d deaths; it had %d before", id, after.Index, is.UpSince, is.Deaths, was.Deaths)
		}
	}
}

// judgeNodeIDs sees to it that a NodeID stands for one node in a cluster, whatever
// becomes of the two.
func (a *Auditor) judgeNodeIDs(after *db.State, id uint64, was, is *db.Cluster) {
	if is == nil {
		if t, there := after.Tombstones.Get(id); !there || was.NextNodeID > t.NextNodeID {
			a.breach(soundness, id, "cluster %d is gone, and its NodeIDs up to %d may be given again", id, was.NextNodeID-1)
		}
		for k, x := range a.ids {
			if k.Cluster == id {
				x.over = true
				a.ids[k] = x
			}
		}
		return
	}
	if was != nil && is.NextNodeID < was.NextNodeID {
		a.breach(soundness, id, "cluster %d had NodeIDs up to %d, and would be given them from %d on", id, was.NextNodeID-1, is.NextNodeID)
	}
	for k, x := range a.ids {
		if k.Cluster == id && (k.Node < is.FirstNodeID || is.Image.HasRemoved(k.Node)) {
			x.over = true
			a.ids[k] = x
		}
	}
	for _, n := range is.Nodes {
		k := Key{id, n.ID}
		known, there := a.ids[k]
		switch {
		case there && known.address != n.Address:
			a.breach(soundness, id, "NodeID %d of cluster %d was given to a node at %s, and again to one at %s", n.ID, id, known.address, n.Address)
		case there && known.over && (was == nil || was.Node(n.ID) == nil):
			a.breach(soundness, id, "NodeID %d of cluster %d was given again, after the node that had it was gone for good", n.ID, id)
		case !there:
			a.ids[k] = identity{address: n.Address}
		}
	}
}
