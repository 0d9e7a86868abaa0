// SPDX-License-Identifier: Apache-2.0

package schedule

import (
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
		h := p.best(a, func(h *host) bool {
			return p.free(h) && !slices.Contains(chosen, h) && !a.on(h) && (anywhere || h.Region() == region)
		})
		if h != nil {
			chosen = append(chosen, h)
		}
		return h != nil
	}
	for _, region := range slices.Sorted(maps.Keys(a.Spec.GetRegions())) {
		for range a.Spec.Regions[region] {
			if !pick(region, false) {
				return nil, p.shortage(fmt.Sprintf("%d host(s) in region %q", a.Spec.Regions[region], region))
			}
		}
	}
	for len(chosen) < a.size() {
		if !pick("", true) {
			return nil, p.shortage(fmt.Sprintf("%d host(s)", a.size()))
		}
	}
	if p.operations+len(chosen) > p.policy.OperationsTotal {
		return nil, "other operations to end, there are as many as the policy allows"
	}
	for _, h := range chosen {
		h.load++
	}
	return chosen, ""
}

func (p *planner) shortage(what string) string {
	up, free := 0, 0
	for _, h := range p.order {
		if h.fresh {
			up++
			if p.free(h) {
				free++
			}
		}
	}
	return fmt.Sprintf("%s: %d are up, %d of them free", what, up, free)
}

// best returns the least loaded host that is up and suits, or nil.
func (p *planner) best(a *assessment, suits func(*host) bool) *host {
	var best *host
	var bestRank uint64
	for _, h := range p.order {
		if !h.fresh || best != nil && h.load > best.load || !suits(h) {
			continue
		}
		rank := p.rank(a.ID, a.JoinFailures, h.ID())
		if best == nil || h.load < best.load || rank < bestRank {
			best, bestRank = h, rank
		}
	}
	return best
}

// target chooses a host for a new member: where the specification's regions
// lack one, else in the region of the member it replaces, else anywhere.
func (p *planner) target(a *assessment) (*host, string) {
	suits := func(h *host) bool {
		return p.free(h) && h.joins < p.policy.JoinsPerHost && !a.on(h)
	}
	for _, region := range p.wantedRegions(a) {
		h := p.best(a, func(h *host) bool { return h.Region() == region && suits(h) })
		if h != nil {
			return h, ""
		}
	}
	if h := p.best(a, suits); h != nil {
		return h, ""
	}
	return nil, p.noTarget(a)
}

// wantedRegions lists the regions that a new member should go to, best first.
func (p *planner) wantedRegions(a *assessment) []string {
	there := map[string]uint32{}
	for _, m := range a.members() {
		if m.host != nil && !m.gone() {
			there[m.host.Region()]++
		}
	}
	var regions []string
	for _, region := range slices.Sorted(maps.Keys(a.Spec.GetRegions())) {
		if there[region] < a.Spec.Regions[region] {
			regions = append(regions, region)
		}
	}
	for _, m := range a.voters {
		if m.gone() {
			if h := p.state.Hosts.At(m.node.HostID); h != nil {
				regions = append(regions, h.Region())
			}
		}
	}
	return regions
}

// noTarget says why there is no host for a new member.
func (p *planner) noTarget(a *assessment) string {
	up, taken, joining, busy := 0, 0, 0, 0
	for _, h := range p.order {
		switch {
		case !h.fresh:
			continue
		case a.on(h):
			taken++
		case h.joins >= p.policy.JoinsPerHost:
			joining++
		case !p.free(h):
			busy++
		}
		up++
	}
	return fmt.Sprintf("a host for a new member: %d are up, %d of them have one, "+
		"%d are busy with joining nodes and %d with other operations", up, taken, joining, busy)
}

// on tells whether a host has a member of the cluster, or at least what is
// left of one: a NodeHost runs one node of a cluster.
func (a *assessment) on(h *host) bool {
	return a.Image.HasAddress(h.Address()) ||
		slices.ContainsFunc(a.Replicas, func(r db.Replica) bool { return r.HostID == h.ID() })
}
