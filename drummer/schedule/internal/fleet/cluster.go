// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Cluster is a cluster as one decision sees it.
type Cluster struct {
	*db.Cluster
	Fleet     *Fleet
	Voters    []*Member
	Observers []*Member
	Live      int // voters that run on hosts that are up
	Sure      int // voters that work for certain
	Dead      int // voters to be replaced
	Leaving   int // live voters to be moved elsewhere
	// GivenUp is set while another placement is looked for: what the first
	// members left on hosts will be zombies.
	GivenUp bool
}

// Assess looks at a cluster's members: those of its image or, before there is
// one, those it was placed with.
func (f *Fleet) Assess(c *db.Cluster) *Cluster {
	a := &Cluster{Cluster: c, Fleet: f}
	members := c.Image.Members
	if !a.Formed() {
		members = c.Initial
	}
	for _, x := range members {
		m := f.member(c, x)
		if m == nil {
			continue
		}
		if !db.Voting(x.Role) {
			a.Observers = append(a.Observers, m)
			continue
		}
		a.Voters = append(a.Voters, m)
		if m.leave(c.Spec) {
			m.Leaving = true
			a.Leaving++
		}
		switch {
		case m.Sure():
			a.Live++
			a.Sure++
		case m.Condition == Live:
			a.Live++
		case m.Gone():
			a.Dead++
		}
	}
	return a
}

// Formed reports whether the cluster ever had a membership.
func (c *Cluster) Formed() bool { return c.Image.CCID != 0 }

// Quorate reports whether a majority of the voters is live.
func (c *Cluster) Quorate() bool { return c.Live >= db.Quorum(len(c.Voters)) }

// Works reports whether a majority of the voters works for certain.
func (c *Cluster) Works() bool { return c.Sure >= db.Quorum(len(c.Voters)) }

// Complete reports whether a cluster lacks nothing and nothing happens to it.
func (c *Cluster) Complete() bool {
	return c.Formed() && c.Sure == c.Size() && len(c.Voters) == c.Size() && c.Leaving == 0 && !c.Config.InFlight()
}

// Size is the wanted number of voters.
func (c *Cluster) Size() int { return int(c.Spec.GetSize()) }

// Missing is how many voters have to be added to replace the dead ones and
// those that leave, and to reach the size; negative: there are more than
// enough.
func (c *Cluster) Missing() int { return c.Size() - (len(c.Voters) - c.Dead - c.Leaving) }

// Members are all, voters first.
func (c *Cluster) Members() []*Member { return slices.Concat(c.Voters, c.Observers) }

// Hosts are those of the voters, in their order.
func (c *Cluster) Hosts() []*Host {
	hosts := make([]*Host, len(c.Voters))
	for i, m := range c.Voters {
		hosts[i] = m.Host
	}
	return hosts
}

// Without counts the voters other than m that work for certain.
func (c *Cluster) Without(m *Member) int {
	if m.Sure() {
		return c.Sure - 1
	}
	return c.Sure
}

// Worst returns the voter that is worst off, the first of equals; nil when there
// is none.
func (c *Cluster) Worst() *Member {
	var w *Member
	for _, m := range c.Voters {
		if w == nil || m.Condition > w.Condition {
			w = m
		}
	}
	return w
}

// Leaver returns a voter that is to be moved elsewhere, the leader last; or
// nil.
func (c *Cluster) Leaver() *Member {
	var found *Member
	for _, m := range c.Voters {
		if m.Leaving && (found == nil || found.NodeID == c.Leader) {
			found = m
		}
	}
	return found
}

// LeadingMember returns the voter that leads, or nil.
func (c *Cluster) LeadingMember() *Member {
	for _, m := range c.Voters {
		if m.NodeID == c.Leader {
			return m
		}
	}
	return nil
}

// Witnesses counts the voters that live but are never sure.
func (c *Cluster) Witnesses() int {
	n := 0
	for _, m := range c.Voters {
		if m.Condition == Live && m.Role == pb.MemberRole_WITNESS {
			n++
		}
	}
	return n
}

// On reports whether a host has a member of the cluster, or at least what is
// left of one: a NodeHost runs one node of a cluster.
func (c *Cluster) On(h *Host) bool {
	return c.Image.HasAddress(h.Address()) ||
		slices.ContainsFunc(c.Replicas, func(r db.Replica) bool { return r.HostID == h.ID() })
}

// Doubts says how many voters work for certain, and why the first of the others
// may not.
func (c *Cluster) Doubts() string {
	text := fmt.Sprintf("only %d of %d do for certain", c.Sure, len(c.Voters))
	for _, m := range c.Voters {
		if m.Condition == Live && !m.Sure() {
			return text + "; " + m.Doubt(c.Cluster)
		}
	}
	return text
}

// Ailments says what is wrong with each voter that does not live.
func (c *Cluster) Ailments() string {
	var b strings.Builder
	for _, m := range c.Voters {
		if m.Condition != Live {
			b.WriteString("; ")
			b.WriteString(m.Why)
		}
	}
	return b.String()
}

// NoQuorum says, for a cluster that waits, how many of its voters run.
func (c *Cluster) NoQuorum() string {
	return fmt.Sprintf("a quorum: %d of %d voters run%s", c.Live, len(c.Voters), c.Ailments())
}

// InFlight says, for a cluster that waits, which operation it waits for; "" when it
// is not in flight any more.
func (f *Fleet) InFlight(operation uint64) string {
	op := f.State.Operations.At(operation)
	if op == nil {
		return ""
	}
	return fmt.Sprintf("operation %d: %s", operation, db.Describe(op.Request))
}
