// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"fmt"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// Balance moves a node, or leadership, to a host that carries much less. A
// move begins only with a clear advantage and goes on until there is none
// left, so nothing is moved back and forth.

// Uneven finds the hosts that carry or lead so much more than another that
// something should move. Most of the time there are none, and the clusters need not
// be looked at.
//
// Whether one host should relieve another is the same for all hosts of a weight but
// for their load, so only the emptiest of each weight is looked at, and the one that
// leads the fewest clusters.
func (m *Map) Uneven() []*fleet.Host {
	emptiest := map[int]*fleet.Host{} // by weight
	var leadsLeast *fleet.Host
	for _, h := range m.fleet.Hosts {
		if !h.Open() {
			continue
		}
		if e := emptiest[h.Weight()]; e == nil || m.load(h) < m.load(e) {
			emptiest[h.Weight()] = h
		}
		if leadsLeast == nil || m.of(h).leaders < m.of(leadsLeast).leaders {
			leadsLeast = h
		}
	}
	var uneven []*fleet.Host
	light := slices.Collect(maps.Values(emptiest)) // in any order: each is asked the same
	for _, from := range m.fleet.Hosts {
		over := leadsLeast != nil && m.outleads(from, leadsLeast) ||
			slices.ContainsFunc(light, func(to *fleet.Host) bool { return m.relieves(from, to) })
		if m.of(from).over = over; over {
			uneven = append(uneven, from)
		}
	}
	return uneven
}

// OnUneven reports whether a cluster has a node on a host that Uneven found.
func (m *Map) OnUneven(c *db.Cluster) bool {
	return slices.ContainsFunc(c.Nodes, func(n db.Node) bool {
		h := m.fleet.Host(n.HostID)
		return h != nil && m.of(h).over
	})
}

// relieves reports whether a node less on one host and one more on another is
// clearly better: the difference is that of BalanceNodes on the lesser host,
// and BalancePercent of the load.
func (m *Map) relieves(from, to *fleet.Host) bool {
	p := m.fleet.Policy
	difference := m.load(from) - m.load(to)
	return p.BalanceNodes > 0 && to.Open() &&
		difference*100 >= m.load(from)*p.BalancePercent &&
		difference >= p.BalanceNodes*loadScale/min(from.Weight(), to.Weight())
}

// outleads reports whether one host leads so many more clusters than another
// that it should hand one over.
func (m *Map) outleads(from, to *fleet.Host) bool {
	p := m.fleet.Policy
	difference := m.of(from).leaders - m.of(to).leaders
	return p.BalanceLeaders > 0 && to.Open() &&
		difference*100 >= m.of(from).leaders*p.BalancePercent && difference >= p.BalanceLeaders
}

// fullest returns the member on the fullest host that may be exchanged for
// one on the host given: regions and failure domains stay as they are.
func (m *Map) fullest(c *fleet.Cluster, to *fleet.Host) *fleet.Member {
	var found *fleet.Member
	for _, x := range c.Voters {
		if len(c.Spec.GetRegions()) > 0 && x.Host.Region() != to.Region() {
			continue
		}
		if key := c.Spec.GetSpreadOver(); key != "" && x.Host.Domain(key) != to.Domain(key) {
			continue
		}
		if found == nil || m.load(x.Host) > m.load(found.Host) {
			found = x
		}
	}
	return found
}

// Lighter returns the member of a cluster that should move to a host which carries
// much less, that host, and why; nil: none should.
func (m *Map) Lighter(c *fleet.Cluster) (from *fleet.Member, to *fleet.Host, why string) {
	to = m.best(c, nil, func(h *fleet.Host) bool {
		x := m.fullest(c, h)
		return !m.limits.Quarantined(h) && m.limits.Joinable(h) && x != nil && m.relieves(x.Host, h)
	})
	if to == nil {
		return nil, nil, ""
	}
	from = m.fullest(c, to)
	return from, to, m.carriesMore(from.Host, to)
}

func (m *Map) carriesMore(from, to *fleet.Host) string {
	return fmt.Sprintf("host %s carries %d nodes and %s only %d", from.ID(), m.of(from).nodes, to.ID(), m.of(to).nodes)
}

// Heir returns the leader of a cluster, the member that should lead in its place
// because its host leads much less, and why; nil: none should.
func (m *Map) Heir(c *fleet.Cluster) (from, to *fleet.Member, why string) {
	for _, x := range c.Voters {
		switch {
		case x.NodeID == c.Leader:
			from = x
		case x.Role == pb.MemberRole_VOTER && x.Host.Open() && (to == nil || m.of(x.Host).leaders < m.of(to.Host).leaders):
			to = x
		}
	}
	if from == nil || to == nil || !m.outleads(from.Host, to.Host) {
		return nil, nil, ""
	}
	return from, to, fmt.Sprintf("host %s leads %d clusters and %s only %d",
		from.Host.ID(), m.of(from.Host).leaders, to.Host.ID(), m.of(to.Host).leaders)
}

// MarkMove notes which member is leaving because another node is to relieve
// it. The move goes on as long as it makes things no worse and nothing else
// is wrong; else the newcomer is surplus like any other.
func (m *Map) MarkMove(c *fleet.Cluster) {
	if c.Leaving > 0 || c.Sure < len(c.Voters) || len(c.Voters)+len(c.Observers) != c.Size()+1 {
		return
	}
	// The newcomer is the last member: a former one may have taken the place of
	// another member than it was meant to.
	members := c.Members()
	newcomer := members[len(members)-1]
	if newcomer.Node.Relieves == 0 || newcomer.Gone() || newcomer.Host == nil {
		return
	}
	for _, x := range c.Voters {
		if x.NodeID == newcomer.Node.Relieves {
			m.relieve(c, x, newcomer.Host)
		}
	}
}

// relieve has a member leave for a host, if that is better than to stay: for
// what the specification asks of hosts or, where that makes no difference, for
// their load.
func (m *Map) relieve(c *fleet.Cluster, x *fleet.Member, to *fleet.Host) {
	switch order := exchange(c, x, to); {
	case order < 0:
		x.Why = WhyBetter(c, x, to)
	case order == 0 && m.load(x.Host) >= m.load(to):
		x.Why = m.carriesMore(x.Host, to)
	default:
		return
	}
	x.Leaving = true
	c.Leaving = 1
}
