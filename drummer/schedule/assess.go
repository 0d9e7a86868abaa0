// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// condition is how one member is.
type condition int

const (
	// live members run on a host that is up.
	live condition = iota
	// down members don't run, but their host is up and can start them.
	down
	// dead members can't be started: their host is dead, or will not do it.
	dead
	// lost members are dead and will never come back: with the disk went
	// their log and votes, so no start under their NodeID would be safe.
	lost
)

// member is a member of a cluster, or a node that is to become one, with all
// that is known of it.
type member struct {
	db.Member
	node    *db.Node
	host    *host       // nil when there is none any more
	replica *db.Replica // nil when the host reports nothing
	is      condition
	// follows: it follows the cluster's present leader.
	follows bool
	// leaving members are live, and to be moved elsewhere.
	leaving bool
	// why says what is wrong with a member that is not live or is leaving.
	why string
}

// sure reports whether a member works, for all that its host can know: the host
// was heard of just now, and the node follows the present leader in its term. A
// voter that is cut off from the others notices within two election timeouts
// and follows nobody; a leader that is cut off goes on in an older term. A
// witness never notices, for it never stands for election, so nobody can be sure
// of one. Only members that are sure are counted on before a membership change.
func (m *member) sure() bool {
	return m.is == live && m.host.fresh && m.follows && m.Role != pb.MemberRole_WITNESS
}

// doubt says why a live member is not sure.
func (m *member) doubt(c *db.Cluster) string {
	switch {
	case !m.host.fresh:
		return fmt.Sprintf("%s, the host of node %d, is silent", m.host.ID(), m.NodeID)
	case m.replica.Leader == 0:
		return fmt.Sprintf("node %d on %s follows no leader", m.NodeID, m.host.ID())
	case !m.follows:
		return fmt.Sprintf("node %d on %s does not follow leader %d of term %d", m.NodeID, m.host.ID(), c.Leader, c.LeaderTerm)
	default:
		return fmt.Sprintf("witness %d on %s can't tell", m.NodeID, m.host.ID())
	}
}

// gone reports whether a member has to be replaced.
func (m *member) gone() bool { return m.is >= dead }

// stays reports whether a member needs no successor.
func (m *member) stays() bool { return !m.gone() && !m.leaving }

// assessment is a cluster as one decision sees it.
type assessment struct {
	*db.Cluster
	voters    []*member
	observers []*member
	live      int // voters that run on hosts that are up
	sure      int // voters that work for certain
	dead      int // voters to be replaced
	leaving   int // live voters to be moved elsewhere
	// givenUp is set while another placement is looked for: what the first
	// members left on hosts will be zombies.
	givenUp bool
}

// quorate reports whether a majority of the voters is live.
func (a *assessment) quorate() bool { return a.live >= db.Quorum(len(a.voters)) }

// doubts says how many voters work for certain, and why the first of the others
// may not.
func (a *assessment) doubts() string {
	text := fmt.Sprintf("only %d of %d do for certain", a.sure, len(a.voters))
	for _, m := range a.voters {
		if m.is == live && !m.sure() {
			return text + "; " + m.doubt(a.Cluster)
		}
	}
	return text
}

// witnesses counts the voters that live but are never sure.
func (a *assessment) witnesses() int {
	n := 0
	for _, m := range a.voters {
		if m.is == live && m.Role == pb.MemberRole_WITNESS {
			n++
		}
	}
	return n
}

// formed reports whether the cluster ever had a membership.
func (a *assessment) formed() bool { return a.Image.CCID != 0 }

// size is the wanted number of voters.
func (a *assessment) size() int { return int(a.Spec.GetSize()) }

// missing is how many voters have to be added to replace the dead ones and
// those that leave, and to reach the size; negative: there are more than
// enough.
func (a *assessment) missing() int { return a.size() - (len(a.voters) - a.dead - a.leaving) }

// members are all, voters first.
func (a *assessment) members() []*member {
	return append(append([]*member(nil), a.voters...), a.observers...)
}

// assess looks at a cluster's members: those of its image or, before there is
// one, those it was placed with.
func (f *fleet) assess(c *db.Cluster) *assessment {
	a := &assessment{Cluster: c}
	members := c.Image.Members
	if !a.formed() {
		members = c.Initial
	}
	defer f.markMove(a)
	for _, x := range members {
		m := f.member(c, x)
		if m == nil {
			continue
		}
		if !db.Voting(x.Role) {
			a.observers = append(a.observers, m)
			continue
		}
		a.voters = append(a.voters, m)
		if f.leave(a, m) {
			m.leaving = true
			a.leaving++
		}
		switch {
		case m.sure():
			a.live++
			a.sure++
		case m.is == live:
			a.live++
		case m.gone():
			a.dead++
		}
	}
	return a
}

func (f *fleet) member(c *db.Cluster, x db.Member) *member {
	n := c.Node(x.NodeID)
	if n == nil {
		return nil
	}
	m := &member{Member: x, node: n, host: f.of(n)}
	if m.host != nil {
		m.replica = c.Replica(n.ID, n.HostID)
		m.follows = m.replica != nil && c.Follows(m.replica)
	}
	m.is, m.why = f.condition(m)
	return m
}

// leave reports whether a live member has to be moved, and notes why.
func (f *fleet) leave(a *assessment, m *member) bool {
	switch {
	case m.is != live:
		return false
	case m.host.Mode == pb.HostMode_DRAIN:
		m.why = fmt.Sprintf("host %s of node %d is drained", m.host.ID(), m.NodeID)
	case !labelled(m.host, a.Spec.GetRequiredLabels()):
		m.why = fmt.Sprintf("host %s of node %d lacks a required label", m.host.ID(), m.NodeID)
	default:
		return false
	}
	return true
}

func (f *fleet) condition(m *member) (condition, string) {
	h := m.host
	switch {
	case h == nil && f.state.Hosts.At(m.node.HostID) == nil && f.at(m.Address) == nil:
		return f.unheard(m)
	case h == nil:
		return lost, fmt.Sprintf("the disk of node %d at %s is lost", m.NodeID, m.Address)
	case !h.up:
		return dead, fmt.Sprintf("host %s of node %d is dead, unheard of for %d ticks",
			h.ID(), m.NodeID, f.state.Tick-h.LastSeen)
	case m.replica != nil && m.replica.Running:
		return live, ""
	case m.replica == nil && m.node.Started:
		return lost, fmt.Sprintf("host %s has lost the log of node %d", h.ID(), m.NodeID)
	case m.node.Start.Failures >= f.policy.StartAttempts:
		return dead, fmt.Sprintf("node %d failed to start on %s %d times in a row",
			m.NodeID, h.ID(), m.node.Start.Failures)
	case m.Role == pb.MemberRole_WITNESS:
		return down, fmt.Sprintf("witness %d on %s does not run, and Drummer starts no witness", m.NodeID, h.ID())
	default:
		return down, fmt.Sprintf("node %d does not run on %s", m.NodeID, h.ID())
	}
}

// unheard is how a member is whose host nobody has ever heard of: Drummer adopted
// it, perhaps because DrummerDB is new. Its host is given its time to live to
// speak up, like any other.
func (f *fleet) unheard(m *member) (condition, string) {
	why := fmt.Sprintf("no host was ever heard of at %s, where node %d lives", m.Address, m.NodeID)
	if f.state.Tick-m.node.MemberSince < f.policy.TTL {
		return down, why
	}
	return dead, why
}

// where names the host of a member for people.
func (m *member) where() string {
	if m.host == nil {
		return m.Address
	}
	return m.host.ID()
}

// ready reports whether another try of something may begin.
func (f *fleet) ready(a db.Attempt) bool {
	return !a.InFlight() && f.state.Tick >= a.Ended+f.policy.backoff(a.Failures)
}

// reported reports whether another try of something that a host has to report
// may begin: after a success too, the report is given time to arrive.
func (f *fleet) reported(a db.Attempt) bool {
	return f.ready(a) && (a.Ended == 0 || f.state.Tick >= a.Ended+f.policy.Backoff)
}
