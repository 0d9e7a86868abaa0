// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// A member is misplaced when the regions or the failure domains of its
// cluster's specification could be met better if it lived elsewhere: a
// successor went to another region for want of a host, and hosts came back; or
// the specification was changed. Each move makes the cluster's flaw strictly
// less, so none is ever taken back.

// flaw is how far the hosts of a cluster are from what its specification asks
// of them; field by field, less is better.
type flaw struct {
	lacking  int // members that regions have too few
	together int // pairs of members in the same failure domain
}

func (f flaw) compare(o flaw) int {
	return cmp.Or(cmp.Compare(f.lacking, o.lacking), cmp.Compare(f.together, o.together))
}

func flawOf(spec *pb.ClusterSpec, hosts []*host) flaw {
	var f flaw
	for region, want := range spec.GetRegions() {
		f.lacking += max(int(want)-within(hosts, "region", region), 0)
	}
	if key := spec.GetSpreadOver(); key != "" {
		for i, h := range hosts {
			f.together += within(hosts[:i], key, domain(h, key))
		}
	}
	return f
}

// within counts the hosts of one failure domain.
func within(hosts []*host, key, value string) int {
	n := 0
	for _, h := range hosts {
		if domain(h, key) == value {
			n++
		}
	}
	return n
}

// picky reports whether it matters where a cluster's members live.
func picky(spec *pb.ClusterSpec) bool { return spec.SpreadOver != "" || len(spec.Regions) > 0 }

// consider notes a cluster that lacks nothing but may have a misplaced member.
// In a steady deployment it sees every cluster, so it neither allocates nor
// searches.
func (p *planner) consider(c *db.Cluster, hosts []*host) {
	switch f := flawOf(c.Spec, hosts); {
	case f == flaw{}:
	case p.hopeful(c.Spec, hosts, f):
		p.misplaced = append(p.misplaced, c)
	case f.lacking > 0:
		p.waiting[c.ID] = p.shortOf(c.Spec, hosts)
	}
}

// hopeful reports whether there is a host in a region or a failure domain that a
// member could be moved to with advantage. It may yet have a member, or not
// suit.
func (p *planner) hopeful(spec *pb.ClusterSpec, hosts []*host, f flaw) bool {
	if f.lacking > 0 {
		for region, want := range spec.Regions {
			if within(hosts, "region", region) < int(want) && slices.Contains(p.inviting("region"), region) {
				return true
			}
		}
	}
	if f.together == 0 {
		return false
	}
	most := 0
	for _, h := range hosts {
		most = max(most, within(hosts, spec.SpreadOver, domain(h, spec.SpreadOver)))
	}
	for _, d := range p.inviting(spec.SpreadOver) {
		if within(hosts, spec.SpreadOver, d) < most-1 {
			return true
		}
	}
	return false
}

// invites reports whether members may be moved to a host only because that would
// be better: it has been up for long enough, and does not keep dying.
func (f *fleet) invites(h *host) bool {
	return h.open() && h.stable && f.state.Tick-h.UpSince >= f.policy.BalanceCalm
}

// inviting lists the failure domains of the hosts that invite, once a decision.
func (p *planner) inviting(key string) []string {
	domains, known := p.domains[key]
	if known {
		return domains
	}
	for _, h := range p.order {
		if d := domain(h, key); p.invites(h) && !slices.Contains(domains, d) {
			domains = append(domains, d)
		}
	}
	p.domains[key] = domains
	return domains
}

// shortage is what a region lacks. When a region is lost many clusters lack
// the same, so it is put in words once a decision.
type shortage struct {
	region     string
	has, wants int
}

// shortOf says which region has too few members.
func (p *planner) shortOf(spec *pb.ClusterSpec, hosts []*host) string {
	for _, region := range slices.Sorted(maps.Keys(spec.Regions)) {
		s := shortage{region, within(hosts, "region", region), int(spec.Regions[region])}
		if s.has >= s.wants {
			continue
		}
		why, known := p.shortages[s]
		if !known {
			why = fmt.Sprintf("another host in region %q, which has %d of %d members: one that suits, and has been up for %d ticks",
				s.region, s.has, s.wants, p.policy.BalanceCalm)
			p.shortages[s] = why
		}
		return why
	}
	return "nothing" // not reached: some region lacks a member
}

// maxSearches bounds the clusters that one decision searches a better place
// for: there may be many that no host suits.
const maxSearches = 50

// rectify begins moves of misplaced members, once everything else is decided.
// It begins with another cluster each time, so that none is left out permanently.
func (p *planner) rectify() {
	n := len(p.misplaced)
	if n == 0 {
		return
	}
	first := int(mix(p.state.Index) % uint64(n))
	for i := range n {
		c := p.misplaced[(first+i)%n]
		switch {
		case p.held(c.ID):
		case p.moving >= p.policy.BalanceMoves || i >= maxSearches:
			p.waits(c.ID, "its turn: a member is misplaced, and %d clusters of %d are being moved", p.moving, p.policy.BalanceMoves)
		default:
			p.relocate(p.assess(c))
		}
	}
}

// relocate begins the move of a cluster's misplaced member, if there is one.
func (p *planner) relocate(a *assessment) {
	if !a.complete() {
		p.waits(a.ID, "its voters to work: %s", a.doubts())
		return
	}
	if !p.reported(a.Config) || p.state.Tick < a.JoinFailed+p.policy.backoff(a.JoinFailures) {
		p.waits(a.ID, "another try to move a misplaced member, after %d failed", a.Config.Failures+a.JoinFailures)
		return
	}
	from, to := p.betterPlace(a)
	if to == nil {
		if hosts := hostsOf(a.voters); flawOf(a.Spec, hosts).lacking > 0 {
			p.waits(a.ID, "%s", p.shortOf(a.Spec, hosts))
		}
		return
	}
	r := &pb.Request{Kind: pb.RequestKind_ADD_OBSERVER, NodeId: a.NextNodeID, TargetAddress: to.Address(),
		Relieves: from.NodeID}
	if p.configureBy(a, r, nil, "%s", whyBetter(a, from, to)) {
		from.host.placed--
		to.placed++
		to.joins++
		p.moving++
		p.begun = append(p.begun, a.ID)
	}
}

func hostsOf(members []*member) []*host {
	hosts := make([]*host, len(members))
	for i, m := range members {
		hosts[i] = m.host
	}
	return hosts
}

// betterPlace returns the member and the host to which it moves with the
// greatest advantage, or nil. Of equal ones it prefers to leave the leader
// alone, then the better host to go to, then the worse one to leave.
func (p *planner) betterPlace(a *assessment) (from *member, to *host) {
	var places []*host
	for _, h := range p.order {
		if p.invites(h) && p.free(h) && h.joins < p.policy.JoinsPerHost && labelled(h, a.Spec.GetRequiredLabels()) && !a.on(h) {
			places = append(places, h)
		}
	}
	hosts := hostsOf(a.voters)
	least := flawOf(a.Spec, hosts)
	for i, m := range a.voters {
		if m.Role != pb.MemberRole_VOTER {
			continue
		}
		for _, h := range places {
			hosts[i] = h
			f := flawOf(a.Spec, hosts)
			if order := f.compare(least); order < 0 || order == 0 && to != nil && p.rather(a, m, h, from, to) {
				from, to, least = m, h, f
			}
		}
		hosts[i] = m.host
	}
	return from, to
}

// rather reports whether one of two equally good moves is to be preferred.
func (p *planner) rather(a *assessment, from *member, to *host, otherFrom *member, otherTo *host) bool {
	return cmp.Or(
		cmp.Compare(a.leads(from), a.leads(otherFrom)),
		p.merit(a, nil, to).compare(p.merit(a, nil, otherTo)),
		p.merit(a, nil, otherFrom.host).compare(p.merit(a, nil, from.host)),
	) < 0
}

// leads is 1 for the leader and 0 for any other member.
func (a *assessment) leads(m *member) int {
	if m.NodeID == a.Leader {
		return 1
	}
	return 0
}

// exchange returns what it does to a cluster's flaw that a node on one host
// takes the place of a member: less than 0, it is better.
func (a *assessment) exchange(from *member, to *host) int {
	var before, after []*host
	for _, m := range a.voters {
		switch {
		case m == from:
			before, after = append(before, m.host), append(after, to)
		case m.host != to:
			before, after = append(before, m.host), append(after, m.host)
		}
	}
	return flawOf(a.Spec, after).compare(flawOf(a.Spec, before))
}

// whyBetter says why a member should move to a host, whether or not a node is
// there already.
func whyBetter(a *assessment, from *member, to *host) string {
	others := slices.DeleteFunc(hostsOf(a.voters), func(h *host) bool { return h == to })
	region := to.Region()
	if want, n := a.Spec.GetRegions()[region], within(others, "region", region); n < int(want) && from.host.Region() != region {
		return fmt.Sprintf("region %q has %d of %d members without %s, and region %q can spare node %d on %s",
			region, n, want, to.ID(), from.host.Region(), from.NodeID, from.host.ID())
	}
	key := a.Spec.GetSpreadOver()
	here, there := domain(from.host, key), domain(to, key)
	return fmt.Sprintf("%s %q has %d members, one of them node %d on %s, and %s %q has %d without %s",
		key, here, within(others, key, here), from.NodeID, from.host.ID(), key, there, within(others, key, there), to.ID())
}
