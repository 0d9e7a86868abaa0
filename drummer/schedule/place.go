// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
)

// placeAll chooses hosts for all members of a new cluster, or says why it
// can't: first what the specification wants in each region, then the rest
// anywhere. Nothing is counted unless all are found.
func (p *planner) placeAll(a *assessment) ([]*host, string) {
	var chosen []*host
	pick := func(region string, anywhere bool) bool {
		h := p.best(a, chosen, func(h *host) bool {
			return !slices.Contains(chosen, h) && (anywhere || h.Region() == region)
		})
		if h != nil {
			chosen = append(chosen, h)
		}
		return h != nil
	}
	for _, region := range slices.Sorted(maps.Keys(a.Spec.GetRegions())) {
		for range a.Spec.Regions[region] {
			if !pick(region, false) {
				return nil, p.shortage(a, fmt.Sprintf("%d host(s) in region %q", a.Spec.Regions[region], region))
			}
		}
	}
	for len(chosen) < a.size() {
		if !pick("", true) {
			return nil, p.shortage(a, fmt.Sprintf("%d host(s)", a.size()))
		}
	}
	if p.operations+len(chosen) > p.policy.OperationsTotal {
		return nil, "other operations to end, there are as many as the policy allows"
	}
	for _, h := range chosen {
		h.placed++
	}
	return chosen, ""
}

func (p *planner) shortage(a *assessment, what string) string {
	open, suitable, free := 0, 0, 0
	for _, h := range p.order {
		if !h.open() {
			continue
		}
		open++
		if labelled(h, a.Spec.GetRequiredLabels()) {
			suitable++
			if p.free(h) {
				free++
			}
		}
	}
	return fmt.Sprintf("%s: %d are open to new nodes, %d of them have the required labels, %d of these are free",
		what, open, suitable, free)
}

// labelled reports whether a host has all of the labels.
func labelled(h *host, labels map[string]string) bool {
	for key, value := range labels {
		if h.Info.GetLabels()[key] != value {
			return false
		}
	}
	return true
}

// merit is how good a host is for another member of a cluster; lower is
// better, field by field.
type merit struct {
	taken    int // 1 for a host with a node of a placement that is given up
	unstable int // 1 for a host that keeps dying
	together int // members in the same failure domain
	without  int // preferred labels that it lacks
	load     int
	rank     uint64
}

func (m merit) compare(o merit) int {
	return cmp.Or(cmp.Compare(m.taken, o.taken), cmp.Compare(m.unstable, o.unstable), cmp.Compare(m.together, o.together),
		cmp.Compare(m.without, o.without), cmp.Compare(m.load, o.load), cmp.Compare(m.rank, o.rank))
}

// best returns the best host that is open, free, has the labels that the
// cluster requires and none of its nodes, and suits; or nil. What is left of a
// placement that is given up is removed before a new node starts there. Others are hosts
// that have, or will have, members of the cluster.
func (p *planner) best(a *assessment, others []*host, suits func(*host) bool) *host {
	var best *host
	var bestMerit merit
	for _, h := range p.order {
		taken := a.on(h)
		if !h.open() || !p.free(h) || !labelled(h, a.Spec.GetRequiredLabels()) || taken && !a.givenUp || !suits(h) {
			continue
		}
		m := p.merit(a, others, h)
		if taken {
			m.taken = 1
		}
		if best == nil || m.compare(bestMerit) < 0 {
			best, bestMerit = h, m
		}
	}
	return best
}

func (p *planner) merit(a *assessment, others []*host, h *host) merit {
	m := merit{load: h.load(), rank: p.rank(a.ID, a.JoinFailures, h.ID())}
	if !h.stable {
		m.unstable = 1
	}
	if key := a.Spec.GetSpreadOver(); key != "" {
		for _, o := range others {
			if domain(o, key) == domain(h, key) {
				m.together++
			}
		}
	}
	for key, value := range a.Spec.GetPreferredLabels() {
		if h.Info.GetLabels()[key] != value {
			m.without++
		}
	}
	return m
}

// domain is the failure domain of a host.
func domain(h *host, key string) string {
	if key == "region" {
		return h.Region()
	}
	if h.spreadOver != key {
		h.spreadOver, h.domain = key, h.Info.GetLabels()[key]
	}
	return h.domain
}

// target chooses a host for a new member: where the specification's regions
// lack one, else in the region of the member it replaces, else anywhere. A
// host that keeps dying is the last resort.
func (p *planner) target(a *assessment) (*host, string) {
	var others []*host
	for _, m := range a.members() {
		if m.host != nil && m.stays() {
			others = append(others, m.host)
		}
	}
	var resort *host
	try := func(suits func(*host) bool) *host {
		h := p.best(a, others, func(h *host) bool { return h.joins < p.policy.JoinsPerHost && suits(h) })
		if h != nil && !h.stable {
			resort = cmp.Or(resort, h)
			return nil
		}
		return h
	}
	for _, region := range p.wantedRegions(a) {
		if h := try(func(h *host) bool { return h.Region() == region }); h != nil {
			return h, ""
		}
	}
	if h := try(func(*host) bool { return true }); h != nil {
		return h, ""
	}
	if resort != nil {
		return resort, ""
	}
	return nil, p.noTarget(a)
}

// lacking lists the regions in which the specification wants more members
// than will stay.
func (a *assessment) lacking() []string {
	if len(a.Spec.GetRegions()) == 0 {
		return nil
	}
	there := map[string]uint32{}
	for _, m := range a.members() {
		if m.host != nil && m.stays() {
			there[m.host.Region()]++
		}
	}
	var regions []string
	for _, region := range slices.Sorted(maps.Keys(a.Spec.Regions)) {
		if there[region] < a.Spec.Regions[region] {
			regions = append(regions, region)
		}
	}
	return regions
}

// wantedRegions lists the regions that a new member should go to, best first.
func (p *planner) wantedRegions(a *assessment) []string {
	regions := a.lacking()
	for _, m := range a.voters {
		if !m.stays() {
			if h := p.state.Hosts.At(m.node.HostID); h != nil {
				regions = append(regions, h.Region())
			}
		}
	}
	return regions
}

// noTarget says why there is no host for a new member.
func (p *planner) noTarget(a *assessment) string {
	open, unfit, taken, joining, busy := 0, 0, 0, 0, 0
	for _, h := range p.order {
		switch {
		case !h.open():
			continue
		case a.on(h):
			taken++
		case !labelled(h, a.Spec.GetRequiredLabels()):
			unfit++
		case h.joins >= p.policy.JoinsPerHost:
			joining++
		case !p.free(h):
			busy++
		}
		open++
	}
	return fmt.Sprintf("a host for a new member: %d are open to new nodes; %d have one, %d lack a required label, "+
		"%d are busy with joining nodes and %d with other operations", open, taken, unfit, joining, busy)
}

// on reports whether a host has a member of the cluster, or at least what is
// left of one: a NodeHost runs one node of a cluster.
func (a *assessment) on(h *host) bool {
	return a.Image.HasAddress(h.Address()) ||
		slices.ContainsFunc(a.Replicas, func(r db.Replica) bool { return r.HostID == h.ID() })
}
