// SPDX-License-Identifier: Apache-2.0

package rule

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// Unchangeable says why the membership of a cluster can't be changed now: a change
// is under way, or too few voters work; "": it can.
func Unchangeable(c *fleet.Cluster) string {
	switch {
	case c.Config.InFlight():
		return c.Fleet.InFlight(c.Config.Operation)
	case !c.Quorate():
		return c.NoQuorum()
	case !c.Works():
		return "its voters to work: " + c.Doubts()
	default:
		return ""
	}
}

// Repair decides which membership change brings a cluster nearer to its
// specification: it is given the voter that is missed least, for a cluster that has
// too many. newMember is set when the next step is a new member, which is for
// placement to place.
func Repair(c *fleet.Cluster, surplus func(*fleet.Cluster) *fleet.Member) (next Next, newMember bool) {
	if o, why := uselessObserver(c); o != nil {
		return remove(c, o, why), false
	}
	switch missing := c.Missing(); {
	case missing > 0:
		return grow(c, missing)
	case c.Dead > 0:
		m := c.Worst()
		return remove(c, m, m.Why+" and the other members suffice"), false
	case c.Leaving > 0:
		return release(c), false
	case missing < 0:
		return shrink(c, surplus), false
	case len(c.Observers) > 0: // else it would be useless
		return wait("its voters to work, before observer %d is removed, for which there is no use: %s", c.Observers[0].NodeID, c.Doubts()), false
	default:
		return Next{}, false
	}
}

// uselessObserver returns an observer that will not become a voter, and why:
// it is dead, takes too long, or is no longer needed.
func uselessObserver(c *fleet.Cluster) (*fleet.Member, string) {
	wanted := max(c.Missing(), 0)
	for _, m := range c.Voters {
		if m.Condition == fleet.Down || m.Condition == fleet.Live && !m.Sure() {
			wanted++ // it may come back, or not: nothing is thrown away yet
		}
	}
	var extra *fleet.Member
	for _, o := range c.Observers {
		switch {
		case o.Gone():
			return o, o.Why
		case o.Overdue != "":
			return o, o.Overdue
		case extra == nil || extra.CaughtUp() || !o.CaughtUp():
			extra = o // the last of those least far
		}
	}
	if len(c.Observers) > wanted {
		return extra, fmt.Sprintf("observer %d is not needed any more, %d voters of %d are there",
			extra.NodeID, len(c.Voters)-c.Dead, c.Size())
	}
	return nil, ""
}

// grow brings a cluster nearer to the number of voters it lacks.
func grow(c *fleet.Cluster, missing int) (next Next, newMember bool) {
	for _, o := range c.Observers {
		if o.CaughtUp() && o.Sure() {
			return replace(c, o), false
		}
	}
	if len(c.Observers) >= missing {
		o := c.Observers[0]
		return wait("node %d on %s to catch up", o.NodeID, o.Where()), false
	}
	return Next{}, true
}

// replace makes a voter of an observer that has caught up. When the new voter
// would raise the quorum above what the present voters reach by themselves,
// a dead one is removed first: that never costs anything, and the cluster
// does not come to depend on a node that has only just joined.
func replace(c *fleet.Cluster, o *fleet.Member) Next {
	switch quorum := db.Quorum(len(c.Voters) + 1); {
	case c.Sure >= quorum:
		return promote(c, o)
	case c.Dead > 0:
		m := c.Worst()
		return remove(c, m, fmt.Sprintf("%s and observer %d has caught up to take its place", m.Why, o.NodeID))
	case c.Sure == len(c.Voters): // one voter, which a second one always binds
		return promote(c, o)
	default:
		return wait("more voters to work: %s", c.Doubts())
	}
}

// MakeRoom removes a member whose disk is lost when its own address is the only
// place for a successor: an address can't have two members. Otherwise the cluster
// waits for a place, as why says.
func MakeRoom(c *fleet.Cluster, why string) Next {
	m := c.Worst()
	if h := c.Fleet.At(m.Address); m.Condition == fleet.Lost && h != nil && h.Fresh && len(c.Voters) > 1 {
		return remove(c, m, m.Why+" and its successor can only live at the same address")
	}
	return Next{Wait: why}
}

// shrink removes a voter of a cluster that has too many, all of them well.
func shrink(c *fleet.Cluster, surplus func(*fleet.Cluster) *fleet.Member) Next {
	if c.Sure+c.Witnesses() < len(c.Voters) {
		return wait("all voters to work before one of them is removed: %s", c.Doubts())
	}
	m := surplus(c)
	if c.Without(m) < db.Quorum(len(c.Voters)-1) {
		return wait("more voters to work before node %d is removed: %s", m.NodeID, c.Doubts())
	}
	return retire(c, m, size(c))
}

// release removes a member whose successor is a voter by now.
func release(c *fleet.Cluster) Next {
	m := c.Leaver()
	if c.Without(m) < db.Quorum(len(c.Voters)-1) {
		return wait("more voters to work before node %d may leave: %s", m.NodeID, c.Doubts())
	}
	return retire(c, m, m.Why+" and its successor has taken over")
}

// retire removes a live voter. A leader hands over first, so that writes do
// not have to wait for an election; unless it tried that in vain.
func retire(c *fleet.Cluster, m *fleet.Member, reason string) Next {
	if m.NodeID == c.Leader && c.Config.Failures < maxTransfers {
		if heir := successor(c, m); heir != nil {
			return transfer(c, m, heir, reason)
		}
	}
	if next, proven := proven(c, reason); !proven {
		return next
	}
	return remove(c, m, reason)
}

// successor returns a voter that may lead in the place of another one, or nil.
func successor(c *fleet.Cluster, m *fleet.Member) *fleet.Member {
	for _, heir := range c.Voters {
		if heir != m && heir.Sure() && !heir.Leaving && heir.Role == pb.MemberRole_VOTER {
			return heir
		}
	}
	return nil
}
