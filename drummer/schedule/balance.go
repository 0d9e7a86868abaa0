// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Balance moves a node, or leadership, to a host that carries much less. A
// move begins only with a clear advantage and goes on until there is none
// left, so nothing is moved back and forth.

// isCalm reports whether no host has died, returned or joined lately.
func (f *fleet) isCalm() bool {
	for _, h := range f.order {
		silent := f.state.Tick - h.LastSeen
		if !h.fresh && silent < f.policy.TTL+f.policy.BalanceCalm || h.up && f.state.Tick-h.UpSince < f.policy.BalanceCalm {
			return false
		}
	}
	return f.fuses.of(db.Fuse{Fleet: true}) == ""
}

// complete reports whether a cluster lacks nothing and nothing happens to it.
func (a *assessment) complete() bool {
	return a.formed() && a.sure == a.size() && len(a.voters) == a.size() && a.leaving == 0 && !a.Config.InFlight()
}

// markMove notes which member is leaving because another node is to relieve
// it. The move goes on as long as it makes things no worse and nothing else
// is wrong; else the newcomer is surplus like any other.
func (f *fleet) markMove(a *assessment) {
	if a.leaving > 0 || a.sure < len(a.voters) || len(a.voters)+len(a.observers) != a.size()+1 {
		return
	}
	// The newcomer is the last member: a former one may have taken the place of
	// another member than it was meant to.
	members := a.members()
	x := members[len(members)-1]
	if x.node.Relieves == 0 || x.gone() || x.host == nil {
		return
	}
	for _, m := range a.voters {
		if m.NodeID == x.node.Relieves {
			f.relieve(a, m, x.host)
		}
	}
}

// relieve has a member leave for a host, if that is better than to stay: for
// what the specification asks of hosts or, where that makes no difference, for
// their load.
func (f *fleet) relieve(a *assessment, m *member, to *host) {
	switch order := a.exchange(m, to); {
	case order < 0:
		m.why = whyBetter(a, m, to)
	case order == 0 && m.host.load() >= to.load():
		m.why = fmt.Sprintf("host %s carries %d nodes and %s only %d", m.host.ID(), m.host.placed, to.ID(), to.placed)
	default:
		return
	}
	m.leaving = true
	a.leaving = 1
}

// fullest returns the member on the fullest host that may be exchanged for
// one on the host given: regions and failure domains stay as they are.
func fullest(a *assessment, to *host) *member {
	var found *member
	for _, m := range a.voters {
		if len(a.Spec.GetRegions()) > 0 && m.host.Region() != to.Region() {
			continue
		}
		if key := a.Spec.GetSpreadOver(); key != "" && domain(m.host, key) != domain(to, key) {
			continue
		}
		if found == nil || m.host.load() > found.host.load() {
			found = m
		}
	}
	return found
}

// countLeader counts a cluster's leader on its host.
func (p *planner) countLeader(a *assessment) {
	for _, m := range a.voters {
		if m.NodeID == a.Leader && m.is == live {
			m.host.leaders++
		}
	}
}

// balance begins moves where that is clearly better, once everything else is
// decided.
func (p *planner) balance() {
	if !p.calm || p.state.Paused || !p.state.Launched || !p.uneven() {
		return
	}
	for c := range p.state.Clusters.Values() {
		if p.moving >= p.policy.BalanceMoves {
			return
		}
		if c.Spec == nil || slices.Contains(p.begun, c.ID) || !p.reported(c.Config) || !p.relievable(c) {
			continue
		}
		if a := p.assess(c); a.complete() && len(a.observers) == 0 && (p.moveNode(a) || p.moveLeader(a)) {
			p.moving++
		}
	}
}

// uneven finds the hosts that carry or lead so much more than another that
// something should move. Most of the time there are none, and the clusters
// need not be looked at.
func (p *planner) uneven() bool {
	any := false
	for _, from := range p.order {
		from.over = slices.ContainsFunc(p.order, func(to *host) bool {
			return p.relieves(from, to) || p.outleads(from, to)
		})
		any = any || from.over
	}
	return any
}

// relievable reports whether a cluster has a node on a host that carries or
// leads too much.
func (p *planner) relievable(c *db.Cluster) bool {
	return slices.ContainsFunc(c.Nodes, func(n db.Node) bool {
		h := p.hosts[n.HostID]
		return h != nil && h.over
	})
}

func (p *planner) moveNode(a *assessment) bool {
	var from *member
	to := p.best(a, nil, func(h *host) bool {
		m := fullest(a, h)
		return h.stable && h.joins < p.policy.JoinsPerHost && m != nil && p.relieves(m.host, h)
	})
	if to == nil {
		return false
	}
	if from = fullest(a, to); !p.free(from.host) {
		return false
	}
	r := &pb.Request{Kind: pb.RequestKind_ADD_OBSERVER, NodeId: a.NextNodeID, TargetAddress: to.Address(),
		Relieves: from.NodeID}
	if !p.configureBy(a, r, nil, "host %s carries %d nodes and %s only %d",
		from.host.ID(), from.host.placed, to.ID(), to.placed) {
		return false
	}
	from.host.placed--
	to.placed++
	to.joins++
	return true
}

// relieves reports whether a node less on one host and one more on another is
// clearly better: the difference is that of BalanceNodes on the lesser host,
// and BalancePercent of the load.
func (p *planner) relieves(from, to *host) bool {
	return p.policy.BalanceNodes > 0 && to.open() &&
		(from.load()-to.load())*100 >= from.load()*p.policy.BalancePercent &&
		from.load()-to.load() >= p.policy.BalanceNodes*10_000/min(from.weight(), to.weight())
}

// outleads reports whether one host leads so many more clusters than another
// that it should hand one over.
func (p *planner) outleads(from, to *host) bool {
	return p.policy.BalanceLeaders > 0 && to.open() &&
		(from.leaders-to.leaders)*100 >= from.leaders*p.policy.BalancePercent && from.leaders-to.leaders >= p.policy.BalanceLeaders
}

func (p *planner) moveLeader(a *assessment) bool {
	var from, to *member
	for _, m := range a.voters {
		switch {
		case m.NodeID == a.Leader:
			from = m
		case m.Role == pb.MemberRole_VOTER && m.host.open() && (to == nil || m.host.leaders < to.host.leaders):
			to = m
		}
	}
	if from == nil || to == nil || !p.outleads(from.host, to.host) ||
		p.state.Tick < a.Config.Ended+p.policy.BalanceCalm || !p.free(from.host) {
		return false
	}
	p.transfer(a, from, to, "host %s leads %d clusters and %s only %d",
		from.host.ID(), from.host.leaders, to.host.ID(), to.host.leaders)
	from.host.leaders--
	to.host.leaders++
	return true
}

// PreflightDrain returns what a drain of a host would run into: for each cluster
// that has a member there, why it could not be moved, or what would be left
// unmet. Limits on operations are not considered, they only take time.
func PreflightDrain(state *db.State, policy Policy, hostID string) []Waiting {
	h := state.Hosts.At(hostID)
	if h == nil {
		return nil
	}
	drained := *h
	drained.Mode = pb.HostMode_DRAIN
	assumed := *state
	assumed.Hosts = state.Hosts.Set(hostID, &drained)
	policy.OperationsPerHost, policy.OperationsTotal, policy.JoinsPerHost = 1<<30, 1<<30, 1<<30

	p := newPlanner(newFleet(&assumed, policy, 0))
	var found []Waiting
	for c := range assumed.Clusters.Values() {
		if c.Spec == nil || c.Deleted {
			continue
		}
		a := p.assess(c)
		if why := p.obstacle(a, hostID); why != "" {
			found = append(found, Waiting{ClusterID: c.ID, For: why})
		}
	}
	return found
}

// obstacle says what keeps a cluster's member from leaving a host.
func (p *planner) obstacle(a *assessment, hostID string) string {
	var m *member
	for _, x := range a.voters {
		if x.host != nil && x.host.ID() == hostID && x.leaving {
			m = x
		}
	}
	if m == nil {
		return ""
	}
	if !a.quorate() {
		return fmt.Sprintf("a quorum: %d of %d voters run%s", a.live, len(a.voters), whyNot(a))
	}
	lacking := a.lacking()
	to, why := p.target(a)
	if to == nil {
		return why
	}
	to.placed++
	if len(lacking) > 0 && to.Region() != lacking[0] {
		return fmt.Sprintf("a host in region %q: its member would go to %s in region %q", lacking[0], to.ID(), to.Region())
	}
	return ""
}
