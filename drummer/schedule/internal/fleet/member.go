// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Condition is how one member is.
type Condition int

const (
	// Live members run on a host that is up.
	Live Condition = iota
	// Down members don't run, but their host is up and can start them.
	Down
	// Dead members can't be started: their host is dead, or will not do it.
	Dead
	// Lost members are dead and will never come back: with the disk went
	// their log and votes, so no start under their NodeID would be safe.
	Lost
)

// Member is a member of a cluster, or a node that is to become one, with all
// that is known of it.
type Member struct {
	db.Member
	Node      *db.Node
	Host      *Host       // nil when there is none any more
	Replica   *db.Replica // nil when the host reports nothing
	Condition Condition
	// Follows: it follows the cluster's present leader.
	Follows bool
	// Leaving members are live, and to be moved elsewhere.
	Leaving bool
	// Why says what is wrong with a member that is not live or is leaving.
	Why string
	// Overdue says of an observer that it took too long to catch up; "": it may
	// go on.
	Overdue string
}

// Sure reports whether a member works, for all that its host can know: the host
// was heard of just now, and the node follows the present leader in its term. A
// voter that is cut off from the others notices within two election timeouts
// and follows nobody; a leader that is cut off goes on in an older term. A
// witness never notices, for it never stands for election, so nobody can be sure
// of one. Nor of a voter that has not applied its promotion: Dragonboat's observers
// answer no request for a vote. Only members that are sure are counted on before a
// membership change.
func (m *Member) Sure() bool {
	return m.Condition == Live && m.Host.Fresh && m.Follows && m.Role != pb.MemberRole_WITNESS && !m.unaware()
}

// unaware reports whether a voter takes itself for an observer.
func (m *Member) unaware() bool {
	return m.Role == pb.MemberRole_VOTER && m.Replica.Role == pb.MemberRole_OBSERVER
}

// Doubt says why a live member is not sure.
func (m *Member) Doubt(c *db.Cluster) string {
	switch {
	case !m.Host.Fresh:
		return fmt.Sprintf("%s, the host of node %d, is silent", m.Host.ID(), m.NodeID)
	case m.Replica.Leader == 0:
		return fmt.Sprintf("node %d on %s follows no leader", m.NodeID, m.Host.ID())
	case !m.Follows:
		return fmt.Sprintf("node %d on %s does not follow leader %d of term %d", m.NodeID, m.Host.ID(), c.Leader, c.LeaderTerm)
	case m.unaware():
		return fmt.Sprintf("node %d on %s was promoted and does not know it yet", m.NodeID, m.Host.ID())
	default:
		return fmt.Sprintf("witness %d on %s can't tell", m.NodeID, m.Host.ID())
	}
}

// Gone reports whether a member has to be replaced.
func (m *Member) Gone() bool { return m.Condition >= Dead }

// Stays reports whether a member needs no successor.
func (m *Member) Stays() bool { return !m.Gone() && !m.Leaving }

// CaughtUp reports whether an observer may be promoted.
func (m *Member) CaughtUp() bool { return m.Condition == Live && m.Replica.CaughtUp }

// Where names the host of a member for people.
func (m *Member) Where() string {
	if m.Host == nil {
		return m.Address
	}
	return m.Host.ID()
}

// member looks at a member of a cluster; nil: it was never placed.
func (f *Fleet) member(c *db.Cluster, x db.Member) *Member {
	n := c.Node(x.NodeID)
	if n == nil {
		return nil
	}
	m := &Member{Member: x, Node: n, Host: f.Of(n)}
	if m.Host != nil {
		m.Replica = c.Replica(n.ID, n.HostID)
		m.Follows = m.Replica != nil && c.Follows(m.Replica)
	}
	m.Condition, m.Why = f.condition(m)
	return m
}

func (f *Fleet) condition(m *Member) (Condition, string) {
	h := m.Host
	switch {
	case h == nil && f.State.Hosts.At(m.Node.HostID) == nil && f.At(m.Address) == nil:
		return f.unheard(m)
	case h == nil:
		return Lost, fmt.Sprintf("the disk of node %d at %s is lost", m.NodeID, m.Address)
	case !h.Up:
		return Dead, fmt.Sprintf("host %s of node %d is dead, unheard of for %d ticks", h.ID(), m.NodeID, f.Silent(h))
	case m.Replica != nil && m.Replica.Running:
		return Live, ""
	case m.Replica == nil && m.Node.Started:
		return Lost, fmt.Sprintf("host %s has lost the log of node %d", h.ID(), m.NodeID)
	case m.Node.Start.Failures >= f.Policy.StartAttempts:
		return Dead, fmt.Sprintf("node %d failed to start on %s %d times in a row", m.NodeID, h.ID(), m.Node.Start.Failures)
	case m.Role == pb.MemberRole_WITNESS:
		return Down, fmt.Sprintf("witness %d on %s does not run, and Drummer starts no witness", m.NodeID, h.ID())
	default:
		return Down, fmt.Sprintf("node %d does not run on %s", m.NodeID, h.ID())
	}
}

// unheard is how a member is whose host nobody has ever heard of: Drummer adopted
// it, perhaps because DrummerDB is new. Its host is given its time to live to
// speak up, like any other.
func (f *Fleet) unheard(m *Member) (Condition, string) {
	why := fmt.Sprintf("no host was ever heard of at %s, where node %d lives", m.Address, m.NodeID)
	if f.State.Tick-m.Node.MemberSince < f.Policy.TTL {
		return Down, why
	}
	return Dead, why
}

// leave reports whether a live member has to be moved, and notes why.
func (m *Member) leave(spec *pb.ClusterSpec) bool {
	switch {
	case m.Condition != Live:
		return false
	case m.Host.Mode == pb.HostMode_DRAIN:
		m.Why = fmt.Sprintf("host %s of node %d is drained", m.Host.ID(), m.NodeID)
	case !m.Host.HasLabels(spec.GetRequiredLabels()):
		m.Why = fmt.Sprintf("host %s of node %d lacks a required label", m.Host.ID(), m.NodeID)
	default:
		return false
	}
	return true
}
