// SPDX-License-Identifier: Apache-2.0

package placement

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// merit is how good a host is for another member of a cluster; lower is
// better, field by field. Between equals the rank decides.
type merit struct {
	taken       int // 1 for a host with a node of a placement that is given up
	quarantined int // 1 for a host that keeps dying
	together    int // members in the same failure domain
	without     int // preferred labels that it lacks
	load        int
}

func (m merit) compare(o merit) int {
	return cmp.Or(cmp.Compare(m.taken, o.taken), cmp.Compare(m.quarantined, o.quarantined), cmp.Compare(m.together, o.together),
		cmp.Compare(m.without, o.without), cmp.Compare(m.load, o.load))
}

func (m *Map) merit(c *fleet.Cluster, others []*fleet.Host, h *fleet.Host) merit {
	x := merit{load: m.load(h)}
	if m.limits.Quarantined(h) {
		x.quarantined = 1
	}
	if key := c.Spec.GetSpreadOver(); key != "" {
		x.together = within(others, key, h.Domain(key))
	}
	if preferred := c.Spec.GetPreferredLabels(); len(preferred) > 0 { // to walk an empty map is not free
		for key, value := range preferred {
			if h.Info.GetLabels()[key] != value {
				x.without++
			}
		}
	}
	return x
}

// ideal reports whether nothing but a lighter host could be better.
func (m merit) ideal() bool { return m == merit{load: m.load} }

// compareRanks breaks the tie between two hosts.
func (m *Map) compareRanks(c *fleet.Cluster, a, b *fleet.Host) int {
	ranks := m.ranks(c)
	return cmp.Compare(ranks.of(a), ranks.of(b))
}

// best returns the best host that is open, free, has the labels that the
// cluster requires and none of its nodes, and suits; or nil. What is left of a
// placement that is given up is removed before a new node starts there. Others are
// hosts that have, or will have, members of the cluster.
//
// It is asked for every member that is replaced. So it begins with the lightest hosts,
// and ends where all that are left are heavier than one that is ideal otherwise.
func (m *Map) best(c *fleet.Cluster, others []*fleet.Host, suits func(*fleet.Host) bool) *fleet.Host {
	var best *fleet.Host
	var bestMerit merit
	var bestRank uint64
	ranks := m.ranks(c)
	for _, h := range m.openByLoad() {
		ideal := best != nil && bestMerit.ideal()
		if ideal && m.load(h) > bestMerit.load {
			break
		}
		if !suits(h) || ideal && ranks.of(h) >= bestRank {
			continue
		}
		if !m.limits.Free(h) || !h.HasLabels(c.Spec.GetRequiredLabels()) {
			continue
		}
		x := m.merit(c, others, h)
		if c.GivenUp && c.On(h) {
			x.taken = 1
		}
		order := -1
		if best != nil {
			order = x.compare(bestMerit)
		}
		if order > 0 {
			continue
		}
		rank := ranks.of(h)
		if order == 0 && rank >= bestRank {
			continue
		}
		if c.GivenUp || !c.On(h) {
			best, bestMerit, bestRank = h, x, rank
		}
	}
	return best
}

// All chooses hosts for all members of a new cluster, or says why it can't:
// first what the specification wants in each region, then the rest anywhere.
func (m *Map) All(c *fleet.Cluster) (hosts []*fleet.Host, why string) {
	pick := func(suits func(*fleet.Host) bool) bool {
		h := m.best(c, hosts, func(h *fleet.Host) bool { return !slices.Contains(hosts, h) && suits(h) })
		if h != nil {
			hosts = append(hosts, h)
		}
		return h != nil
	}
	for _, region := range slices.Sorted(maps.Keys(c.Spec.GetRegions())) {
		for range c.Spec.Regions[region] {
			if !pick(func(h *fleet.Host) bool { return h.Region() == region }) {
				return nil, m.tooFew(c, fmt.Sprintf("%d host(s) in region %q", c.Spec.Regions[region], region))
			}
		}
	}
	for len(hosts) < c.Size() {
		if !pick(func(*fleet.Host) bool { return true }) {
			return nil, m.tooFew(c, fmt.Sprintf("%d host(s)", c.Size()))
		}
	}
	return hosts, ""
}

func (m *Map) tooFew(c *fleet.Cluster, what string) string {
	open, suitable, free := 0, 0, 0
	for _, h := range m.fleet.Hosts {
		if !h.Open() {
			continue
		}
		open++
		if h.HasLabels(c.Spec.GetRequiredLabels()) {
			suitable++
			if m.limits.Free(h) {
				free++
			}
		}
	}
	return fmt.Sprintf("%s: %d are open to new nodes, %d of them have the required labels, %d of these are free",
		what, open, suitable, free)
}

// Target chooses a host for a new member, or says why there is none: where the
// specification's regions lack one, else in the region of the member it replaces,
// else anywhere. A host that keeps dying is the last resort.
func (m *Map) Target(c *fleet.Cluster) (host *fleet.Host, why string) {
	var others []*fleet.Host
	for _, x := range c.Members() {
		if x.Host != nil && x.Stays() {
			others = append(others, x.Host)
		}
	}
	var resort *fleet.Host
	try := func(suits func(*fleet.Host) bool) *fleet.Host {
		h := m.best(c, others, func(h *fleet.Host) bool { return m.limits.Joinable(h) && suits(h) })
		if h != nil && m.limits.Quarantined(h) {
			resort = cmp.Or(resort, h)
			return nil
		}
		return h
	}
	for _, region := range m.wantedRegions(c) {
		if h := try(func(h *fleet.Host) bool { return h.Region() == region }); h != nil {
			return h, ""
		}
	}
	if h := try(func(*fleet.Host) bool { return true }); h != nil {
		return h, ""
	}
	if resort != nil {
		return resort, ""
	}
	return nil, m.noTarget(c)
}

// Lacking lists the regions in which the specification wants more members
// than will stay.
func (m *Map) Lacking(c *fleet.Cluster) []string {
	if len(c.Spec.GetRegions()) == 0 {
		return nil
	}
	there := map[string]uint32{}
	for _, x := range c.Members() {
		if x.Host != nil && x.Stays() {
			there[x.Host.Region()]++
		}
	}
	var regions []string
	for _, region := range slices.Sorted(maps.Keys(c.Spec.Regions)) {
		if there[region] < c.Spec.Regions[region] {
			regions = append(regions, region)
		}
	}
	return regions
}

// wantedRegions lists the regions that a new member should go to, best first.
func (m *Map) wantedRegions(c *fleet.Cluster) []string {
	regions := m.Lacking(c)
	for _, x := range c.Voters {
		if !x.Stays() {
			if h := m.fleet.State.Hosts.At(x.Node.HostID); h != nil {
				regions = append(regions, h.Region())
			}
		}
	}
	return regions
}

// noTarget says why there is no host for a new member.
func (m *Map) noTarget(c *fleet.Cluster) string {
	open, unfit, taken, joining, busy := 0, 0, 0, 0, 0
	for _, h := range m.fleet.Hosts {
		switch {
		case !h.Open():
			continue
		case c.On(h):
			taken++
		case !h.HasLabels(c.Spec.GetRequiredLabels()):
			unfit++
		case !m.limits.Joinable(h):
			joining++
		case !m.limits.Free(h):
			busy++
		}
		open++
	}
	return fmt.Sprintf("a host for a new member: %d are open to new nodes; %d have one, %d lack a required label, "+
		"%d are busy with joining nodes and %d with other operations", open, taken, unfit, joining, busy)
}

// Surplus chooses the voter that is missed least: not one that a region
// needs, rather one that shares its failure domain, on the host that carries
// most, rather not the leader.
func (m *Map) Surplus(c *fleet.Cluster) *fleet.Member {
	hosts := c.Hosts()
	without := make(map[uint64]mismatch, len(c.Voters))
	for i, x := range c.Voters {
		without[x.NodeID] = mismatchOf(c.Spec, slices.Delete(slices.Clone(hosts), i, i+1))
	}
	return slices.MinFunc(c.Voters, func(x, y *fleet.Member) int {
		return cmp.Or(without[x.NodeID].compare(without[y.NodeID]), cmp.Compare(m.load(y.Host), m.load(x.Host)),
			compareBool(x.NodeID == c.Leader, y.NodeID == c.Leader))
	})
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
