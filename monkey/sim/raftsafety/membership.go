// SPDX-License-Identifier: Apache-2.0

package raftsafety

import (
	"slices"

	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
)

// role is what a member of a cluster is.
type role byte

const (
	voter role = iota + 1
	observer
	witness // which votes, too
)

// membership is who belongs to a cluster from an entry of its log on.
type membership struct {
	at      uint64 // the index of that entry, which is the ID of the change
	members map[uint64]role
	removed map[uint64]bool
}

// voters lists those who vote and whose logs count, in order.
func (m *membership) voters() []uint64 {
	var all []uint64
	for id, r := range m.members {
		if r != observer {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// majority reports whether those who have something are a majority.
func (m *membership) majority(has func(node uint64) bool) bool {
	voters, with := 0, 0
	for id, r := range m.members {
		if r != observer {
			voters++
			if has(id) {
				with++
			}
		}
	}
	return with > voters/2
}

// after returns the membership after a change whose entry has an index; nil if it is
// refused, by the rules of Dragonboat's replicated state machine
// (internal/rsm/membership.go). An observer is promoted whatever address it is given.
func (m *membership) after(change pb.ConfigChange, index uint64, ordered bool) *membership {
	if ordered && !change.Initialize && change.ConfigChangeId != m.at {
		return nil
	}
	next := &membership{at: index, members: map[uint64]role{}, removed: map[uint64]bool{}}
	for id, r := range m.members {
		next.members[id] = r
	}
	for id := range m.removed {
		next.removed[id] = true
	}
	is := m.members[change.NodeID]
	switch {
	case change.Type == pb.RemoveNode:
		if is == voter && m.count(voter) == 1 {
			return nil
		}
		delete(next.members, change.NodeID)
		next.removed[change.NodeID] = true
	case m.removed[change.NodeID]:
		return nil
	case change.Type == pb.AddNode && (is == 0 || is == observer):
		next.members[change.NodeID] = voter
	case change.Type == pb.AddObserver && is == 0:
		next.members[change.NodeID] = observer
	case change.Type == pb.AddWitness && is == 0:
		next.members[change.NodeID] = witness
	default:
		return nil
	}
	return next
}

func (m *membership) count(of role) int {
	n := 0
	for _, r := range m.members {
		if r == of {
			n++
		}
	}
	return n
}

// members begins the memberships of a cluster with those it was started with. Their
// first entries of the log are these.
func (c *cluster) start(first map[uint64]string) {
	if len(c.memberships) > 0 || len(first) == 0 {
		return
	}
	m := &membership{at: uint64(len(first)), members: map[uint64]role{}, removed: map[uint64]bool{}}
	for id := range first {
		m.members[id] = voter
	}
	c.memberships = append(c.memberships, m)
	c.proven = max(c.proven, m.at)
}

// goneBy lists the memberships that a node may go by whose log ends at an index: the
// newest one, and the one before it, for it may not have applied the newest. Two
// changes are never under way at once.
func (c *cluster) goneBy(last uint64) []*membership {
	end := len(c.memberships)
	for end > 0 && c.memberships[end-1].at > last {
		end--
	}
	return c.memberships[max(0, end-2):end]
}

// majority reports whether those who have something are a majority by any of the
// memberships; true if none is known.
func majority(by []*membership, has func(node uint64) bool) bool {
	return len(by) == 0 || slices.ContainsFunc(by, func(m *membership) bool { return m.majority(has) })
}

// membershipAt is the one of an index of the log; nil if it is not known.
func (c *cluster) membershipAt(index uint64) *membership {
	for i := len(c.memberships) - 1; i >= 0; i-- {
		if c.memberships[i].at <= index {
			return c.memberships[i]
		}
	}
	return nil
}

// is reports whether a membership as Dragonboat has it is this one.
func (m *membership) is(o *pb.Membership) bool {
	if o.ConfigChangeId != m.at || len(o.Addresses)+len(o.Observers)+len(o.Witnesses) != len(m.members) || len(o.Removed) != len(m.removed) {
		return false
	}
	for id, r := range m.members {
		of := map[role]map[uint64]string{voter: o.Addresses, observer: o.Observers, witness: o.Witnesses}[r]
		if _, ok := of[id]; !ok {
			return false
		}
	}
	for id := range m.removed {
		if !o.Removed[id] {
			return false
		}
	}
	return true
}

// promoted checks that an observer has caught up when a change makes it a voter: that
// it has the log up to the entry that made it an observer at least.
func (w *Watcher) promoted(c *cluster, change change, next *membership) {
	node := change.NodeID
	if before := c.memberships[len(c.memberships)-1]; before.members[node] != observer || next.members[node] != voter {
		return
	}
	for _, m := range c.memberships {
		if m.members[node] == 0 {
			continue
		}
		if l := c.logs[node]; !l.has(position{index: m.at}) {
			b := invariant.Breach{Kind: invariant.PromotedBehind, Node: node, Index: change.index, LastTerm: m.at}
			if l != nil {
				b.Term, b.LastIndex = l.state.Term, l.last
			}
			w.breach(c, b)
		}
		return
	}
}
