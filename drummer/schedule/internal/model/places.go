// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"slices"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Misplaced names a member that would clearly better live on another host that
// is there for it: a region has too few members, or failure domains would be
// shared by fewer. It is written without regard to how Drummer finds that out.
func (w *Fleet) Misplaced() string {
	for _, g := range w.sortedGroups() {
		c := w.State.Clusters.At(g.ID)
		if g.Image == nil || c == nil || c.Spec == nil {
			continue
		}
		var hosts []*Host
		for _, m := range g.Image.Members {
			hosts = append(hosts, w.Hosts[m.Address])
		}
		regions, shared := w.unmet(c.Spec, hosts)
		for i := range hosts {
			for _, to := range w.SortedHosts() {
				if !w.takes(to, c.Spec) || slices.Contains(hosts, to) {
					continue
				}
				moved := slices.Clone(hosts)
				moved[i] = to
				if r, s := w.unmet(c.Spec, moved); r < regions || r == regions && s < shared {
					return fmt.Sprintf("a member of cluster %d on %s, %s is better", g.ID, hosts[i].Name, to.Name)
				}
			}
		}
	}
	return ""
}

// takes reports whether a host may be given a member of a cluster.
func (w *Fleet) takes(m *Host, spec *pb.ClusterSpec) bool {
	h := w.State.Hosts.At(m.ID)
	if !m.Up || m.Cut || m.Isolated || h == nil || h.Mode != pb.HostMode_ACTIVE {
		return false
	}
	for k, v := range spec.RequiredLabels {
		if m.Labels[k] != v {
			return false
		}
	}
	return true
}

// unmet counts the members that regions lack, and how many fewer failure
// domains there are than there could be were each member in one of its own,
// where the fuller domains weigh more.
func (w *Fleet) unmet(spec *pb.ClusterSpec, hosts []*Host) (regions, shared int) {
	inRegion, inDomain := map[string]int{}, map[string]int{}
	for _, m := range hosts {
		inRegion[m.Region]++
		if spec.SpreadOver == "region" {
			inDomain[m.Region]++
		} else {
			inDomain[m.Labels[spec.SpreadOver]]++
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
