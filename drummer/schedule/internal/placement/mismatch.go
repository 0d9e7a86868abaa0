// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// A member is misplaced when the regions or the failure domains of its
// cluster's specification could be met better if it lived elsewhere: a
// successor went to another region for want of a host, and hosts came back; or
// the specification was changed. Each move makes the cluster's mismatch strictly
// less, so none is ever taken back.

// mismatch is how far the hosts of a cluster are from what its specification asks
// of them; field by field, less is better.
type mismatch struct {
	lacking  int // members that regions have too few
	together int // pairs of members in the same failure domain
}

func (m mismatch) compare(o mismatch) int {
	return cmp.Or(cmp.Compare(m.lacking, o.lacking), cmp.Compare(m.together, o.together))
}

func mismatchOf(spec *pb.ClusterSpec, hosts []*fleet.Host) mismatch {
	var m mismatch
	for region, want := range spec.GetRegions() {
		m.lacking += max(int(want)-within(hosts, fleet.Region, region), 0)
	}
	if key := spec.GetSpreadOver(); key != "" {
		for i, h := range hosts {
			m.together += within(hosts[:i], key, h.Domain(key))
		}
	}
	return m
}

// within counts the hosts of one failure domain.
func within(hosts []*fleet.Host, key, value string) int {
	n := 0
	for _, h := range hosts {
		if h.Domain(key) == value {
			n++
		}
	}
	return n
}

// Matched reports whether the members of a cluster live as well as its specification
// can ask for. It neither allocates nor searches.
func Matched(c *db.Cluster, hosts []*fleet.Host) bool {
	return c.Spec.SpreadOver == "" && len(c.Spec.Regions) == 0 || mismatchOf(c.Spec, hosts) == mismatch{}
}

// Review looks at where the members of a cluster live that lacks nothing else:
// whether one of them may better live elsewhere, which Better finds out; and, if
// not, what is lacking for that. Beside the cluster and its hosts it goes by what
// Inviting says of the specification's keys alone.
func (m *Map) Review(c *db.Cluster, hosts []*fleet.Host) (improvable bool, shortage string) {
	if c.Spec.SpreadOver == "" && len(c.Spec.Regions) == 0 {
		return false, "" // it makes no difference where they live
	}
	switch x := mismatchOf(c.Spec, hosts); {
	case x == mismatch{}:
		return false, ""
	case m.improvable(c.Spec, hosts, x):
		return true, ""
	case x.lacking > 0:
		return false, m.shortage(c.Spec, hosts)
	default:
		return false, ""
	}
}

// improvable reports whether there is a host in a region or a failure domain that a
// member could be moved to with advantage. It may yet have a member, or not
// suit.
func (m *Map) improvable(spec *pb.ClusterSpec, hosts []*fleet.Host, x mismatch) bool {
	if x.lacking > 0 {
		for region, want := range spec.Regions {
			if within(hosts, fleet.Region, region) < int(want) && slices.Contains(m.Inviting(fleet.Region), region) {
				return true
			}
		}
	}
	if x.together == 0 {
		return false
	}
	most := 0
	for _, h := range hosts {
		most = max(most, within(hosts, spec.SpreadOver, h.Domain(spec.SpreadOver)))
	}
	for _, d := range m.Inviting(spec.SpreadOver) {
		if within(hosts, spec.SpreadOver, d) < most-1 {
			return true
		}
	}
	return false
}

// invites reports whether members may be moved to a host only because that would
// be better: it has been up for long enough, and does not keep dying.
func (m *Map) invites(h *fleet.Host) bool {
	return h.Open() && !m.limits.Quarantined(h) && m.limits.Settled(h)
}

// Inviting lists the failure domains of the hosts that invite, once a decision.
func (m *Map) Inviting(key string) []string {
	domains, known := m.domains[key]
	if known {
		return domains
	}
	for _, h := range m.fleet.Hosts {
		if d := h.Domain(key); m.invites(h) && !slices.Contains(domains, d) {
			domains = append(domains, d)
		}
	}
	m.domains[key] = domains
	return domains
}

// shortage is what a region lacks. When a region is lost many clusters lack
// the same, so it is put in words once a decision.
type shortage struct {
	region     string
	has, wants int
}

// Shortage says which region of a cluster's specification has too few members; ""
// when none has.
func (m *Map) Shortage(c *fleet.Cluster) string { return m.shortage(c.Spec, c.Hosts()) }

func (m *Map) shortage(spec *pb.ClusterSpec, hosts []*fleet.Host) string {
	for _, region := range slices.Sorted(maps.Keys(spec.Regions)) {
		s := shortage{region, within(hosts, fleet.Region, region), int(spec.Regions[region])}
		if s.has >= s.wants {
			continue
		}
		why, known := m.shortages[s]
		if !known {
			why = fmt.Sprintf("another host in region %q, which has %d of %d members: one that suits, and has been up for %d ticks",
				s.region, s.has, s.wants, m.fleet.Policy.BalanceCalm)
			m.shortages[s] = why
		}
		return why
	}
	return ""
}

// Better returns the member and the host to which it moves with the greatest
// advantage, or nil. Of equal ones it prefers to leave the leader alone, then the
// better host to go to, then the worse one to leave.
func (m *Map) Better(c *fleet.Cluster) (from *fleet.Member, to *fleet.Host) {
	var places []*fleet.Host
	for _, h := range m.fleet.Hosts {
		if m.invites(h) && m.limits.Free(h) && m.limits.Joinable(h) && h.HasLabels(c.Spec.GetRequiredLabels()) && !c.On(h) {
			places = append(places, h)
		}
	}
	hosts := c.Hosts()
	least := mismatchOf(c.Spec, hosts)
	for i, x := range c.Voters {
		if x.Role != pb.MemberRole_VOTER {
			continue
		}
		for _, h := range places {
			hosts[i] = h
			f := mismatchOf(c.Spec, hosts)
			if order := f.compare(least); order < 0 || order == 0 && to != nil && m.preferred(c, x, h, from, to) {
				from, to, least = x, h, f
			}
		}
		hosts[i] = x.Host
	}
	return from, to
}

// preferred reports whether one of two equally good moves is to be preferred.
func (m *Map) preferred(c *fleet.Cluster, from *fleet.Member, to *fleet.Host, otherFrom *fleet.Member, otherTo *fleet.Host) bool {
	return cmp.Or(
		compareBool(from.NodeID == c.Leader, otherFrom.NodeID == c.Leader),
		m.merit(c, nil, to).compare(m.merit(c, nil, otherTo)), m.compareRanks(c, to, otherTo),
		m.merit(c, nil, otherFrom.Host).compare(m.merit(c, nil, from.Host)), m.compareRanks(c, otherFrom.Host, from.Host),
	) < 0
}

// exchange is what it does to a cluster's mismatch that a node on one host
// takes the place of a member: less than 0, it is better.
func exchange(c *fleet.Cluster, from *fleet.Member, to *fleet.Host) int {
	var before, after []*fleet.Host
	for _, m := range c.Voters {
		switch {
		case m == from:
			before, after = append(before, m.Host), append(after, to)
		case m.Host != to:
			before, after = append(before, m.Host), append(after, m.Host)
		}
	}
	return mismatchOf(c.Spec, after).compare(mismatchOf(c.Spec, before))
}

// WhyBetter says why a member should move to a host, whether or not a node is
// there already.
func WhyBetter(c *fleet.Cluster, from *fleet.Member, to *fleet.Host) string {
	others := slices.DeleteFunc(c.Hosts(), func(h *fleet.Host) bool { return h == to })
	region := to.Region()
	if want, n := c.Spec.GetRegions()[region], within(others, fleet.Region, region); n < int(want) && from.Host.Region() != region {
		return fmt.Sprintf("region %q has %d of %d members without %s, and region %q can spare node %d on %s",
			region, n, want, to.ID(), from.Host.Region(), from.NodeID, from.Host.ID())
	}
	key := c.Spec.GetSpreadOver()
	here, there := from.Host.Domain(key), to.Domain(key)
	return fmt.Sprintf("%s %q has %d members, one of them node %d on %s, and %s %q has %d without %s",
		key, here, within(others, key, here), from.NodeID, from.Host.ID(), key, there, within(others, key, there), to.ID())
}
