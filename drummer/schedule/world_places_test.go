// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"slices"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// misplaced names a member that would clearly better live on another host that
// is there for it: a region has too few members, or failure domains would be
// shared by fewer. It is written without regard to how Drummer finds that out.
func (w *world) misplaced() string {
	for _, g := range w.sortedGroups() {
		c := w.state.Clusters.At(g.id)
		if g.image == nil || c == nil || c.Spec == nil {
			continue
		}
		var hosts []*machine
		for _, m := range g.image.Members {
			hosts = append(hosts, w.hosts[m.Address])
		}
		regions, shared := w.unmet(c.Spec, hosts)
		for i := range hosts {
			for _, to := range w.sortedHosts() {
				if !w.takes(to, c.Spec) || slices.Contains(hosts, to) {
					continue
				}
				moved := slices.Clone(hosts)
				moved[i] = to
				if r, s := w.unmet(c.Spec, moved); r < regions || r == regions && s < shared {
					return fmt.Sprintf("a member of cluster %d on %s, %s is better", g.id, hosts[i].name, to.name)
				}
			}
		}
	}
	return ""
}

// takes reports whether a host may be given a member of a cluster.
func (w *world) takes(m *machine, spec *pb.ClusterSpec) bool {
	h := w.state.Hosts.At(m.id)
	if !m.up || m.cut || m.gray || h == nil || h.Mode != pb.HostMode_ACTIVE {
		return false
	}
	for k, v := range spec.RequiredLabels {
		if m.labels[k] != v {
			return false
		}
	}
	return true
}

// unmet counts the members that regions lack, and how many fewer failure
// domains there are than there could be were each member in one of its own,
// where the fuller domains weigh more.
func (w *world) unmet(spec *pb.ClusterSpec, hosts []*machine) (regions, shared int) {
	inRegion, inDomain := map[string]int{}, map[string]int{}
	for _, m := range hosts {
		inRegion[m.region]++
		if spec.SpreadOver == "region" {
			inDomain[m.region]++
		} else {
			inDomain[m.labels[spec.SpreadOver]]++
		}
	}
	for region, want := range spec.Regions {
		regions += max(0, int(want)-inRegion[region])
	}
	if spec.SpreadOver != "" {
		for _, n := range inDomain {
			shared += n * n
		}
	}
	return regions, shared
}
